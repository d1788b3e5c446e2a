"""Write the tables of docs/benchmark.md from the files in docs/data.

    python docs/write_benchmark.py                              # make docs does it, too
    python docs/write_benchmark.py architectures=FOLDER         # with new results

FOLDER is the --out of `defectkeras benchmark`: its tables go to docs/data, its figures
to docs/images. docs/data/shipped_speed.json is of benchmarks/shipped_speed.py.
"""

import re
import shutil
import sys
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

DOCS = Path(__file__).parent
PAGE = DOCS / "benchmark.md"
SCORES = {
    "candidate": "candidate",
    "iou": "IoU",
    "iou_over_images": "IoU, mean of images",
    "f1": "F1",
    "boundary_f1": "boundary F1",
    "object_f1": "object F1",
    "count_error_percent": "count off, %",
    "area_fraction_error_percent": "area off, %",
    "mean_size_error_percent": "size off, %",
    "line_length_error_percent": "length off, %",
}
COSTS = {
    "candidate": "candidate",
    "parameters": "parameters",
    "gflops_per_megapixel": "GFLOP/MP",
    "training_cpu_seconds": "training, CPU s",
    "cpu_seconds_per_megapixel": "CPU s/MP",
    "window_seconds_per_megapixel": "by windows, s/MP",
}
USUAL = "keras_predict"
LARGEST_ERROR = 0.01


def main(words: Sequence[str]) -> None:
    """Take new results over, if any are named, and write the page."""
    for word in words:
        name, _, folder = word.partition("=")
        shutil.copy(Path(folder) / "benchmark.csv", DOCS / "data" / f"{name}.csv")
        shutil.copy(Path(folder) / "folds.csv", DOCS / "data" / "folds" / f"{name}.csv")
        for figure in ("scores", "cost"):
            copy = DOCS / "images" / f"benchmark_{name}_{figure}.svg"
            if copy.exists():  # what the page shows
                shutil.copy(Path(folder) / f"{figure}.svg", copy)
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def fill(page: str) -> str:
    """Put each table between its two comments."""
    for path in sorted((DOCS / "data").glob("*.csv")):
        table = pd.read_csv(path)
        for kind, columns in (("scores", SCORES), ("costs", COSTS)):
            page = _replace(page, f"{path.stem} {kind}", _markdown(table, columns))
    speeds = pd.read_json(DOCS / "data" / "shipped_speed.json")
    return _replace(page, "shipped speed", _compare_engines(speeds))


def _replace(page: str, name: str, table: str) -> str:
    pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
    return re.sub(pattern, lambda m: f"{m[1]}{table}\n{m[2]}", page, flags=re.DOTALL)


def _compare_engines(speeds: pd.DataFrame) -> str:
    """Give a row for each model, with what each engine is to the usual way."""
    engines = [name for name in speeds["engine"].unique() if name != USUAL]
    lines = [
        ["model", f"{USUAL}, CPU s", *engines, "fastest below 1 %", "its CPU s"],
        ["---", *["--:"] * (len(engines) + 1), "---", "--:"],
    ]
    for model, table in speeds.groupby("model", sort=False):
        own = {row["engine"]: row for row in table.to_dict("records")}
        good = [row for row in own.values() if row["error"] < LARGEST_ERROR]
        fastest = max(good, key=lambda row: row["times_as_fast"])
        told = [
            f"{own[name]['times_as_fast']:.1f} ({_percent(own[name]['error'])})"
            for name in engines
        ]
        usual, best = (_number(row["cpu_seconds"]) for row in (own[USUAL], fastest))
        lines.append([str(model), usual, *told, fastest["engine"], best])
    return _table(lines)


def _percent(fraction: float) -> str:
    return "-" if pd.isna(fraction) else f"{100 * fraction:.2f} %"


def _markdown(table: pd.DataFrame, columns: dict[str, str]) -> str:
    """Give the columns that have a value as a table, with the spread of each."""
    shown = [c for c in columns if table[c].notna().any()]
    cells = [[columns[c] for c in shown]]
    is_number = pd.api.types.is_numeric_dtype
    cells += [["--:" if is_number(table[c]) else "---" for c in shown]]
    for row in table.to_dict("records"):
        cells.append([_cell(row, column) for column in shown])
    return _table(cells)


def _table(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(row: dict[Hashable, Any], column: str) -> str:
    """Write a value, to three digits, its spread, and of how many folds if not all."""
    value, spread = row[column], row.get(f"{column}_spread")
    if not isinstance(value, int | float):
        return str(value)
    if pd.isna(value):
        return "-"
    text = _number(value)
    if isinstance(spread, float) and not pd.isna(spread):
        text = f"{text} ± {_number(spread)}"
    folds = row.get(f"{column}_folds", row.get("folds"))
    return text if folds == row.get("folds") else f"{text} ({folds} folds)"


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


if __name__ == "__main__":
    main(sys.argv[1:])
