"""Bias of each estimator, and how often its 95 % interval holds the truth.

    python benchmarks/estimator_truth.py --count 400
    python benchmarks/estimator_truth.py --count 400 --lines
    python benchmarks/estimator_truth.py --count 4000 --drawn-lines --line-density 2e13

Draws foils in three dimensions whose expected contents are known (geometry alone,
no picture), measures their true class maps, and compares with the expectation, not
with what chance put into each foil: that is what an interval speaks of. In every
second column thickness and pixel size are told with an error, drawn anew for each
foil, and their standard deviations are told to the estimator. The last columns are of
the intervals between the fields of sets of two, five and ten.
"""

import argparse
import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.densities import dislocation_density_per_m2
from defectkeras.quantification.error_parts import add_calibration_parts
from defectkeras.quantification.intervals import (
    field_statistics,
    random_lengths_interval,
)
from defectkeras.quantification.quantify import QuantifySettings, quantify
from defectkeras.quantification.results import Quantity
from defectkeras.synthesis.contents import DISLOCATION, SCHEME, Contents
from defectkeras.synthesis.drawing import Grid
from defectkeras.synthesis.imaging import Imaging
from defectkeras.synthesis.painting import Canvas, paint
from defectkeras.synthesis.scene import draw_scene
from defectkeras.synthesis.two_beam import compute_line_contrast

SHAPE = (512, 640)
PIXEL_SIZE_NM = 1.0
THICKNESS_NM = 100.0
THICKNESS_ERROR = 0.1  # relative standard deviations
PIXEL_SIZE_ERROR = 0.01
FIELDS_PER_SET = (2, 5, 10)

CONTENTS = Contents(
    dislocation_density_per_m2=6e13,
    voids_per_m3=9e20,
    void_diameter_nm=14.0,
    void_log_sd=0.2,
    loops_per_m3=4e20,
    loop_diameter_nm=25.0,
    loop_log_sd=0.2,
)

SETTINGS = {
    "default": QuantifySettings(),
    "naive": QuantifySettings(
        number_density_method="naive",
        diameter_method="apparent",
        volume_method="all_visible",
    ),
    "t + D": QuantifySettings(
        number_density_method="thickness_plus_diameter",
        diameter_method="single_size",
        volume_method="thickness_plus_diameter",
    ),
    "forbidden lines": QuantifySettings(edge_rule="forbidden_lines"),
    "projected area": QuantifySettings(volume_method="projected_area"),
}
"""What is tried; only the quantities that a choice changes are shown."""


def expected(contents: Contents) -> dict[tuple[str, str], float]:
    """Give what the estimators estimate."""
    d, s = contents.void_diameter_nm, contents.void_log_sd
    cube = d**3 * math.exp(3 * s**2)  # E[D^3] of a log-normal
    square = d**2 * math.exp(s**2)
    per_nm3 = contents.voids_per_m3 * 1e-27
    covered = per_nm3 * (math.pi / 4 * square * THICKNESS_NM + math.pi / 6 * cube)
    fraction = math.pi / 6 * per_nm3 * cube
    return {
        ("void", "areal_density_per_m2"): per_nm3 * (THICKNESS_NM + d) * 1e18,
        ("void", "area_fraction_percent"): 100 * covered,
        ("void", "number_density_per_m3"): contents.voids_per_m3,
        ("void", "mean_equivalent_diameter_nm"): d,
        ("void", "volume_fraction_percent"): 100 * fraction,
        ("void", "swelling_percent"): 100 * fraction / (1 - fraction),
        ("loop", "number_density_per_m3"): contents.loops_per_m3,
        ("loop", "mean_max_feret_nm"): contents.loop_diameter_nm,
        ("dislocation", "dislocation_density_per_m2"): (
            contents.dislocation_density_per_m2
        ),
        ("dislocation", "dislocation_density_intercepts_per_m2"): (
            contents.dislocation_density_per_m2
        ),
    }


def draw_foil(seed: int) -> Canvas:
    """Draw the contents of a foil onto the pixels of its field."""
    grid = Grid(SHAPE, PIXEL_SIZE_NM)
    contrast = compute_line_contrast(Imaging(), THICKNESS_NM)
    scene = draw_scene(
        seed,
        CONTENTS,
        grid,
        foil_thickness_nm=THICKNESS_NM,
        rim_nm=contrast.reach_nm,
    )
    return paint(np.random.default_rng([seed, 4]), scene, grid, contrast)


def calibrations(seed: int) -> tuple[Calibration, Calibration]:
    """Give the true calibration, and one that is told with an error."""
    rng = np.random.default_rng([seed, 9])
    told = Calibration(
        PIXEL_SIZE_NM * (1 + PIXEL_SIZE_ERROR * rng.normal()),
        THICKNESS_NM * max(1 + THICKNESS_ERROR * rng.normal(), 0.3),
        pixel_size_sigma_nm=PIXEL_SIZE_NM * PIXEL_SIZE_ERROR,
        foil_thickness_sigma_nm=THICKNESS_NM * THICKNESS_ERROR,
    )
    return Calibration(PIXEL_SIZE_NM, THICKNESS_NM), told


def row_of(
    quantity: Quantity, method: str, told: bool, true: float
) -> dict[str, object]:
    """Give the row of a quantity of one foil."""
    return {
        "class": quantity.class_name,
        "quantity": quantity.name,
        "method": method,
        "told": told,
        "true": true,
        "value": quantity.value,
        "low": quantity.low,
        "high": quantity.high,
    }


def measure(seed: int, *, lines_only: bool) -> Iterator[dict[str, object]]:
    """Give a row for each quantity and choice of one foil."""
    canvas = draw_foil(seed)
    exact, told = calibrations(seed)
    regions_alone = np.where(canvas.class_map == DISLOCATION.index, 0, canvas.class_map)
    for choice, settings in SETTINGS.items():
        is_default = choice == "default"
        if lines_only and not is_default:  # no choice changes the lines
            continue
        for calibration in (exact, told) if is_default else (exact,):
            found = quantify(
                canvas.class_map if is_default else regions_alone,
                SCHEME,
                calibration,
                label_map=canvas.label_map,
                settings=settings,
            )
            for (class_name, name), true in expected(CONTENTS).items():
                is_line = class_name == DISLOCATION.name
                if not (is_line if lines_only else is_default or not is_line):
                    continue
                quantity = found.find(class_name, name)
                yield row_of(quantity, choice, calibration is told, true)


def measure_drawn_lines(seed: int, density_per_m2: float) -> list[dict[str, object]]:
    """Give the intervals of the line density of the pieces as drawn, without a map."""
    grid = Grid(SHAPE, PIXEL_SIZE_NM)
    rim_nm = compute_line_contrast(Imaging(), THICKNESS_NM).reach_nm
    contents = Contents(dislocation_density_per_m2=density_per_m2)
    scene = draw_scene(
        seed, contents, grid, foil_thickness_nm=THICKNESS_NM, rim_nm=rim_nm
    )
    sides_nm = np.array(SHAPE) * PIXEL_SIZE_NM
    lengths_nm = []
    for piece in scene.lines:
        middles = (piece[1:, :2] + piece[:-1, :2]) / 2
        inside = ((middles >= 0) & (middles < sides_nm)).all(axis=1)
        steps_nm = np.linalg.norm(np.diff(piece[:, :2], axis=0), axis=1)
        lengths_nm.append(steps_nm[inside].sum())
    lengths_px = np.array([nm for nm in lengths_nm if nm > 0]) / PIXEL_SIZE_NM

    def evaluate(calibration: Calibration) -> list[Quantity]:
        """Give the density at a calibration."""
        parts = lengths_px * dislocation_density_per_m2(
            1 / math.prod(SHAPE),
            calibration.require_pixel_size_nm(),
            calibration.require_foil_thickness_nm(),
        )
        ends = random_lengths_interval(parts) if len(parts) else None
        return [
            Quantity(
                DISLOCATION.name,
                "drawn pieces",
                float(parts.sum()),
                "m^-2",
                ends and ends.low,
                ends and ends.high,
            )
        ]

    rows: list[dict[str, object]] = []
    for is_told, calibration in enumerate(calibrations(seed)):
        found = evaluate(calibration)
        (quantity,) = add_calibration_parts(found, evaluate, calibration)
        rows.append(row_of(quantity, "default", bool(is_told), density_per_m2))
    return rows


def summarize(rows: pd.DataFrame) -> pd.DataFrame:
    """Give bias, spread and coverage of each quantity and choice, in percent."""
    table = []
    keys = ["class", "quantity", "method"]
    for (class_name, name, method), group in rows.groupby(keys, sort=False):
        group = group.dropna(subset=["value"])
        exact, told = group[~group["told"]], group[group["told"]]
        ratio = (exact["value"] / exact["true"]).to_numpy(dtype=np.float64)
        table.append(
            {
                "class": class_name,
                "quantity": name,
                "method": method,
                "foils": len(exact),
                "bias": 100 * (ratio.mean() - 1),
                "+-": 100 * ratio.std(ddof=1) / math.sqrt(len(ratio)),
                "per foil": 100 * ratio.std(ddof=1),
                "holds": coverage(exact),
                "told holds": coverage(told) if len(told) else math.nan,
                **{f"sets of {n}": _set_coverage(exact, n) for n in FIELDS_PER_SET},
            }
        )
    summary = pd.DataFrame(table)
    default = summary[summary["method"] == "default"]
    same = summary.merge(default, on=["class", "quantity"], suffixes=("", "_default"))
    changed = (same["bias"] != same["bias_default"]) | (same["method"] == "default")
    return summary[changed.to_numpy()]


def coverage(rows: pd.DataFrame) -> float:
    """Give the percentage of intervals that hold the truth."""
    known = rows.dropna(subset=["low", "high"])
    return 100 * float(known["true"].between(known["low"], known["high"]).mean())


def _set_coverage(rows: pd.DataFrame, fields: int) -> float:
    """Give how often the interval between the fields of a set holds the truth."""
    values = rows["value"].to_numpy(dtype=np.float64)
    sets = values[: len(values) // fields * fields].reshape(-1, fields)
    true = float(rows["true"].iloc[0])
    intervals = [field_statistics(v).interval for v in sets if v.any()]
    return 100 * float(np.mean([i.low <= true <= i.high for i in intervals]))


def main() -> None:
    """Draw, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=70_000)
    parser.add_argument("--lines", action="store_true", help="lines only")
    parser.add_argument("--drawn-lines", action="store_true", help="lines, no map")
    parser.add_argument(
        "--line-density", type=float, default=6e13, help="of --drawn-lines, per m2"
    )
    arguments = parser.parse_args()
    seeds = range(arguments.seed, arguments.seed + arguments.count)
    console = Console(width=130, stderr=True)
    shown = track(seeds, console=console)
    if arguments.drawn_lines:
        density_per_m2 = arguments.line_density
        rows = [r for seed in shown for r in measure_drawn_lines(seed, density_per_m2)]
    else:
        lines_only = arguments.lines
        rows = [r for seed in shown for r in measure(seed, lines_only=lines_only)]
    summary = summarize(pd.DataFrame(rows))
    table = Table(*summary.columns)
    for row in summary.itertuples(index=False):
        table.add_row(*(f"{v:.1f}" if isinstance(v, float) else str(v) for v in row))
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
