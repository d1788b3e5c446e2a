"""Whether defects are easier to find in DCI-STEM than in bright-field TEM.

    python benchmarks/imaging_modes.py FOLDER --count 24
    defectkeras benchmark FOLDER/dci-stem/dataset.toml --out results/dci-stem ...
    defectkeras benchmark FOLDER/bright-field-tem/dataset.toml --out results/tem ...

Writes two sets of the same synthetic foils, each rendered in both modes with the ranges
of imaging conditions of the preset: the same dislocations, precipitates and voids in
another contrast, background and noise. Dislocations are annotated as wide as they are
seen. What a network then learns from either, on the same budget and the same folds,
differs by the imaging alone.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np
from rich.progress import track

from defectkeras.core.arrays import ClassMap
from defectkeras.core.calibration import Calibration
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.write import write_dataset_spec
from defectkeras.micrographs.annotations import write_class_map
from defectkeras.micrographs.write import write_micrograph
from defectkeras.synthesis.background import draw_background
from defectkeras.synthesis.contents import DCI_STEM_SCHEME
from defectkeras.synthesis.detector import record
from defectkeras.synthesis.drawing import Grid
from defectkeras.synthesis.painting import paint
from defectkeras.synthesis.presets import PRESETS
from defectkeras.synthesis.scene import draw_scene
from defectkeras.synthesis.synthesize import transmission
from defectkeras.synthesis.two_beam import compute_line_contrast

MODES = ("dci-stem", "bright-field-tem")
SHAPE = (384, 512)
PIXEL_SIZE_NM = 1.0
FOIL_THICKNESS_NM = 100.0


def main() -> None:
    """Render each foil in both modes, and write a data spec for either."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--seed", type=int, default=5000)
    arguments = parser.parse_args()
    names = [f"foil_{arguments.seed + i}" for i in range(arguments.count)]
    for mode in MODES:
        for part in ("micrographs", "annotations"):
            (arguments.folder / mode / part).mkdir(parents=True)
    for number, name in enumerate(track(names, "rendering")):
        rendered = render(arguments.seed + number, name)
        for mode, (micrograph, class_map) in rendered.items():
            folder = arguments.folder / mode
            write_micrograph(micrograph, folder / "micrographs" / f"{name}.tif")
            write_class_map(class_map, folder / "annotations" / f"{name}.png")
    for mode in MODES:
        path = write_dataset_spec(
            arguments.folder / mode,
            name=f"same-foils-{mode}",
            description=f"{len(names)} synthetic foils, rendered as {mode}.",
            scheme=DCI_STEM_SCHEME,
            split={"train": names},
            license="CC0-1.0",
            source="benchmarks/imaging_modes.py",
        )
        print(path)


def render(seed: int, name: str) -> dict[str, tuple[Micrograph, ClassMap]]:
    """Give one foil in each mode, with its class map."""
    streams = [np.random.default_rng([seed, part]) for part in range(2)]
    contents = PRESETS[MODES[0]].draw_contents(
        streams[0], pixel_size_nm=PIXEL_SIZE_NM, foil_thickness_nm=FOIL_THICKNESS_NM
    )
    grid = Grid(SHAPE, PIXEL_SIZE_NM)
    imagings = [
        PRESETS[mode].draw_imaging(streams[1], pixel_size_nm=PIXEL_SIZE_NM)
        for mode in MODES
    ]
    contrasts = [compute_line_contrast(i, FOIL_THICKNESS_NM) for i in imagings]
    scene = draw_scene(
        seed,
        contents,
        grid,
        foil_thickness_nm=FOIL_THICKNESS_NM,
        rim_nm=max(contrast.reach_nm for contrast in contrasts),
    )
    found = {}
    for mode, imaging, contrast in zip(MODES, imagings, contrasts, strict=True):
        rng = [np.random.default_rng([seed, part]) for part in (4, 5, 6)]
        canvas = paint(rng[0], scene, grid, contrast)
        background = draw_background(rng[1], grid.shape, imaging, FOIL_THICKNESS_NM)
        pixels = record(rng[2], background * transmission(canvas, imaging), imaging)
        calibration = Calibration(
            PIXEL_SIZE_NM, FOIL_THICKNESS_NM, "synthetic", "synthetic"
        )
        micrograph = Micrograph(
            pixels, calibration, name, {"imaging": dataclasses.asdict(imaging)}
        )
        found[mode] = (micrograph, canvas.class_map)
    return found


if __name__ == "__main__":
    main()
