"""Time and memory of a montage of gigapixels, streamed from disk.

    python benchmarks/montage.py 1.0                       # gigapixels; a threshold
    python benchmarks/montage.py 0.134 --width 32768       # as wide as one gigapixel
    python benchmarks/montage.py 0.06 --model dci-stem     # the shipped network

Draws a tiled, compressed BigTIFF lazily (voids on a noisy matrix, a line across all
of it now and then), analyzes it as `analyze` does, and deletes it. Memory is the
largest of the process that analyzes, which does nothing else.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import tifffile

from defectkeras.core.labels import DefectClass, LabelScheme

REGISTRY = Path(__file__).parents[1] / "saved_models"
TILE = 512
SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "dislocation", "line"),
        DefectClass(2, "void", "region"),
    )
)


def draw_pattern() -> np.ndarray:
    """Give a tile of (1024, 1024) that goes on at its sides, 8 bit."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:1024, :1024]
    grey = np.full((1024, 1024), 110.0)
    for row, column in rng.uniform(0, 1024, (160, 2)):
        near = [np.minimum(d, 1024 - d) for d in (abs(y - row), abs(x - column))]
        grey[np.hypot(*near) < rng.uniform(4, 16)] = 190
    for start in (100, 400):
        grey[abs((x + y - start) % 1024 - 300) < 3] = 30  # from side to side
    return (grey + rng.normal(0, 10, grey.shape)).clip(0, 255).astype(np.uint8)


def write_montage(path: Path, shape: tuple[int, int]) -> None:
    """Write a montage (H, W); lines end every 8192 pixels."""
    pattern = draw_pattern()
    plain = np.where(pattern < 70, 110, pattern).astype(np.uint8)

    def tiles() -> Iterator[np.ndarray]:
        for top in range(0, shape[0], TILE):
            for left in range(0, shape[1], TILE):
                is_gap = top % 8192 == 0 or left % 8192 == 0
                source = plain if is_gap else pattern
                row, column = top % 1024, left % 1024
                yield source[row : row + TILE, column : column + TILE]

    tifffile.imwrite(
        path,
        tiles(),
        shape=shape,
        dtype=np.uint8,
        tile=(TILE, TILE),
        compression="zlib",
        bigtiff=True,
        photometric="minisblack",
        resolution=(1e7, 1e7),
        resolutionunit="CENTIMETER",
        metadata=None,
    )


def by_threshold(tiles: np.ndarray) -> np.ndarray:
    """Segment without a network: dark lines and bright voids of the mean of 5 x 5."""
    import cv2

    mean = np.stack([cv2.blur(tile[..., 0], (5, 5)) for tile in tiles])
    classes = np.where(mean > 0.62, 2, np.where(mean < 0.28, 1, 0))
    return np.eye(3, dtype=np.float32)[classes]


def analyze_here(path: Path, model: str | None) -> None:
    """Analyze a montage in this process and print what it took."""
    from defectkeras.workflows.analysis.montage import montage_into_folder
    from defectkeras.workflows.analyze_settings import AnalyzeSettings
    from defectkeras.workflows.measure import run_facts
    from defectkeras.workflows.segment import Segmenter, load_segmenter

    if model is None:
        card = SimpleNamespace(
            scheme=SCHEME,
            receptive_field_px=5,
            stride=1,
            pixel_size_range_nm=None,
            threshold_values=lambda: None,
            augment=False,
            views=lambda augment: "none",
            applicability={},
            name="drawn",
        )
        segmenter = Segmenter(SimpleNamespace(card=card), by_threshold)
    else:
        segmenter = load_segmenter(model, REGISTRY)
    started = time.perf_counter()
    report = montage_into_folder(
        path,
        segmenter,
        AnalyzeSettings(),
        run_facts(model=None, settings={}),
        path.with_name("result"),
    )
    seconds = time.perf_counter() - started
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = report.quantification
    print(
        f"{found.shape[0]} x {found.shape[1]} px: {seconds:.0f} s, "
        f"{gigabytes:.2f} GB; {len(found.objects)} objects, {len(found.traces)} lines",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gigapixels", type=float, nargs="?", default=0.25)
    parser.add_argument("--width", type=int, help="in pixels; else a square")
    parser.add_argument("--model", help="of the shipped registry; else a threshold")
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.file is not None:
        analyze_here(arguments.file, arguments.model)
        return
    pixels = arguments.gigapixels * 1e9
    width = round((arguments.width or pixels**0.5) / TILE) * TILE
    shape = (round(pixels / width / TILE) * TILE, width)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "montage.tif"
        write_montage(path, shape)
        print(f"{path.stat().st_size / 1e9:.2f} GB on disk", flush=True)
        words = [sys.executable, __file__, "--file", str(path)]
        words += [] if arguments.model is None else ["--model", arguments.model]
        subprocess.run(words, check=True)


if __name__ == "__main__":
    main()
