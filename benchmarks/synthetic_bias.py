"""How far measured quantities are from the three-dimensional truth.

    python benchmarks/synthetic_bias.py --count 20
    python benchmarks/synthetic_bias.py --count 20 --model dci-stem

Synthesizes foils, measures them from their true class maps, or from those that
a model predicts, and prints for each quantity the bias of the sum over all
foils (which large and small foils enter by their contents), its standard error
and the mean absolute error per foil, in percent.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from defectkeras.core.arrays import ClassMap
from defectkeras.quantification.quantify import quantify
from defectkeras.synthesis.presets import PRESETS
from defectkeras.synthesis.synthesize import SyntheticMicrograph, synthesize
from defectkeras.workflows.segment import SegmentSettings, load_segmenter, segment
from defectkeras.workflows.truth import compare_with_truth

SHAPE = (1024, 1280)


def measure(
    scene: SyntheticMicrograph, class_map: ClassMap, preset: str
) -> pd.DataFrame:
    """Measure a class map and put the numbers beside the truth."""
    found = quantify(class_map, PRESETS[preset].scheme, scene.micrograph.calibration)
    return compare_with_truth(scene.truth, found)


def summarize(table: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Give bias, its standard error (bootstrap over foils) and mean absolute error."""
    rng = np.random.default_rng(seed)
    rows = []
    for (class_name, name), group in table.groupby(["class_name", "name"]):
        known = group.dropna(subset=["measured"])
        true, measured = known["true"].to_numpy(), known["measured"].to_numpy()
        draws = rng.integers(len(known), size=(2000, len(known)))
        ratios = measured[draws].sum(axis=1) / true[draws].sum(axis=1)
        rows.append(
            {
                "class": class_name,
                "quantity": name,
                "foils": len(known),
                "bias %": 100 * (measured.sum() / true.sum() - 1),
                "standard error %": 100 * ratios.std(),
                "mean absolute error %": known["error_percent"].abs().mean(),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Synthesize, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--preset", default="dci-stem")
    parser.add_argument("--seed", type=int, default=50_000)
    parser.add_argument("--model", help="measure predicted class maps")
    parser.add_argument("--registry", type=Path, default=Path("saved_models"))
    parser.add_argument("--runtime", default="tensorflow", help="as of analyze")
    arguments = parser.parse_args()
    segmenter = None
    if arguments.model:
        segmenter = load_segmenter(
            arguments.model, arguments.registry, runtime=arguments.runtime
        )
    tables = []
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        scene = synthesize(arguments.preset, shape=SHAPE, seed=seed)
        class_map = scene.class_map
        if segmenter is not None:
            settings = SegmentSettings(min_area_px=12)
            class_map = segment(segmenter, scene.micrograph, settings).class_map
        tables.append(measure(scene, class_map, arguments.preset))
    summary = summarize(pd.concat(tables))
    table = Table(*summary.columns)
    for row in summary.itertuples(index=False):
        table.add_row(*(f"{v:+.2f}" if isinstance(v, float) else str(v) for v in row))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
