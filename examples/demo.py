"""Three micrographs of known truth, analyzed with the model that ships.

    python examples/demo.py

Writes micrographs, overlays, tables and one HTML page to demo_output/, and
prints what was measured beside what is true.
"""

import math
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import defectkeras
from defectkeras.cli.quiet import start_tensorflow
from defectkeras.micrographs.write import write_micrograph
from defectkeras.reporting.numbers import format_interval, format_value, split_unit
from defectkeras.synthesis.truth import FoilTruth
from defectkeras.workflows.analysis.plan import BatchSettings
from defectkeras.workflows.analyze_settings import AnalyzeSettings
from defectkeras.workflows.segment import SegmentSettings
from defectkeras.workflows.truth import compare_with_truth

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = Path("demo_output")
MODEL = "dci-stem"
SHAPE, FOIL_THICKNESS_NM, PIXEL_SIZE_NM = (768, 1024), 120.0, 1.0
COLUMNS = (
    "micrograph",
    "class",
    "quantity",
    "unit",
    "true",
    "measured",
    "95 % interval",
    "error",
)
SETTINGS = AnalyzeSettings(segment=SegmentSettings(min_area_px=20))
SEEDS = {"dislocations": 5, "precipitates": 3, "voids": 7}


def main() -> None:
    """Synthesize, analyze, compare."""
    start_tensorflow()
    talk = Console(stderr=True)
    truths = {name: synthesize(name, seed) for name, seed in SEEDS.items()}
    talk.print(f"Made {len(truths)} micrographs in {OUTPUT / 'micrographs'}.")
    analysis = defectkeras.analyze(
        [OUTPUT / "micrographs"],
        MODEL,
        output_folder=OUTPUT / "results",
        settings=SETTINGS,
        registry_root=ROOT / "saved_models",
        batch=BatchSettings(overwrite=True),
    )
    table = Table(*COLUMNS)
    for report in analysis.reports:
        compared = compare_with_truth(truths[report.name], report.quantification)
        for row in compared.itertuples():
            table.add_row(report.name, row.class_name, *numbers(row))
    Console(width=140).print(table)
    talk.print(f"Look at {analysis.page}")


def synthesize(preset: str, seed: int) -> FoilTruth:
    """Write a micrograph and give what is true in it."""
    scene = defectkeras.synthesize(
        preset,
        shape=SHAPE,
        pixel_size_nm=PIXEL_SIZE_NM,
        foil_thickness_nm=FOIL_THICKNESS_NM,
        seed=seed,
        name=preset,
    )
    write_micrograph(scene.micrograph, OUTPUT / "micrographs" / f"{preset}.tif")
    return scene.truth


def numbers(row: Any) -> tuple[str, ...]:
    """Give quantity, unit, truth, measurement, interval and error as text."""
    label, unit = split_unit(row.name)
    half_width, interval = None, ""
    if math.isfinite(row.low) and math.isfinite(row.high):
        half_width = (row.high - row.low) / 2
        interval = format_interval(row.measured, row.low, row.high)
    return (
        label,
        unit,
        format_value(row.true, half_width),
        format_value(row.measured, half_width),
        interval,
        f"{row.error_percent:+.1f} %",
    )


if __name__ == "__main__":
    main()
