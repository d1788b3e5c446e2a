"""Time and memory of `analyze`: workers, and megapixels of one micrograph.

    python benchmarks/batch.py [MEGAPIXELS ...] [--method otsu] [--files 8]

Every run is a process of its own with the shipped model, or a method without a network;
time is with its start, and memory is the largest of any of its processes. The time of
the processor, in brackets, is that of all of them, whatever else the machine has to do.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from defectkeras.core.calibration import Calibration
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.write import write_micrograph
from defectkeras.synthesis.synthesize import synthesize

REGISTRY = Path(__file__).parents[1] / "saved_models"
MODEL = ["--model", "dci-stem", "--registry", str(REGISTRY)]
SIDE = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("megapixels", type=int, nargs="*", default=[1, 4])
    parser.add_argument("--method", help="in place of the shipped model")
    parser.add_argument("--files", type=int, default=8, help="for 1 and 2 workers")
    arguments = parser.parse_args()
    asked = ["--method", arguments.method] if arguments.method else MODEL
    tile = synthesize("voids", shape=(SIDE, SIDE), seed=1).micrograph.pixels
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(arguments.files):
            write(
                np.roll(tile, number * 40, axis=1), folder / "batch" / f"{number}.tif"
            )
        for workers in (1, 2) if arguments.files else ():
            print(f"{arguments.files} micrographs of {SIDE} x {SIDE} px")
            output = folder / f"w{workers}"
            show(f"{workers} workers", asked, folder / "batch", output, workers)
        print("one micrograph")
        for size in arguments.megapixels:
            rows = round((size * 2**20 / 2) ** 0.5)
            repeats = -(-rows // SIDE), -(-2 * rows // SIDE)
            pixels = np.tile(tile, repeats)[:rows, : 2 * rows]
            write(pixels, folder / f"{size}" / "field.tif")
            output = folder / f"m{size}"
            show(f"{size} megapixels", asked, folder / f"{size}", output, 1)


def write(pixels: np.ndarray, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    write_micrograph(Micrograph(pixels, Calibration(1.0), path.stem), path)


def show(
    what: str, asked: list[str], micrographs: Path, output: Path, workers: int
) -> None:
    words = [sys.executable, "-m", "defectkeras", "analyze", str(micrographs)]
    words += ["--out", str(output), *asked]
    started = time.perf_counter()
    quiet = [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_WRONLY, 0) for n in (1, 2)]
    pid = os.posix_spawn(
        words[0], [*words, "--workers", str(workers)], os.environ, file_actions=quiet
    )
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"{what}: failed with status {status}")
    seconds, gigabytes = time.perf_counter() - started, usage.ru_maxrss / 2**20
    busy = usage.ru_utime + usage.ru_stime
    print(
        f"  {what:15} {seconds:7.1f} s ({busy:.1f} s) {gigabytes:6.2f} GB", flush=True
    )


if __name__ == "__main__":
    main()
