"""How often does a model warn that has learned from a few micrographs, or sees parts?

    python benchmarks/applicability_of_few.py --data FOLDER

Grey levels and texture, which need no network, are learned from 1, 2, 3, 4 and 10
micrographs of a set, `DRAWS` times over; the other micrographs of the set and those of
other sets are compared ("own, foreign"). Then they are learned from all, and `PARTS`
random squares of each of these micrographs are compared, as if each were a micrograph.
Printed is how many are warned of, in percent. FOLDER is as for `applicability.py`.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from applicability import DATA_SPECS, SETS
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from defectkeras.datasets.spec import load_dataset_spec, load_micrograph
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.prediction.applicability import (
    Described,
    Reference,
    compare,
    cut_in_quarters,
    describe_image,
    fit_reference,
)

COUNTS = (1, 2, 3, 4, 10)
DRAWS = 40
SIDES_PX = (128, 256, 384)
PARTS = 4

Pixels = NDArray[Any]


def load(root: Path) -> dict[str, list[Pixels]]:
    """Give the micrographs of each set, (H, W) each."""
    specs = {
        name: load_dataset_spec(DATA_SPECS / f"{name}.toml", root=root / folder)
        for name, folder in SETS.items()
    }
    return {
        name: [load_micrograph(e).pixels for e in spec.examples]
        for name, spec in specs.items()
    }


def look_at(pixels: Pixels) -> Described:
    """Describe a micrograph as the network sees it."""
    return describe_image(normalize_percentile(pixels))


def look_at_quarters(pixels: Pixels) -> list[Described]:
    """Describe what is learned from of a single micrograph."""
    return [describe_image(q) for q in cut_in_quarters(normalize_percentile(pixels))]


def learn(
    described: Sequence[Described], *, of_one: bool = False
) -> dict[str, Reference]:
    """Learn as a training does, from micrographs or from the quarters of one."""
    return {
        kind: fit_reference([d[kind] for d in described], of_one=of_one)
        for kind in described[0]
    }


def share(micrographs: Sequence[Described], known: Mapping[str, Reference]) -> float:
    """Give how many are warned of, in percent."""
    found = [compare(described, known) for described in micrographs]
    return 100 * float(np.mean([f is not None and f.score > 1 for f in found]))


def draw_part(pixels: Pixels, side_px: int, rng: np.random.Generator) -> Pixels:
    """Give a random square of a micrograph, which may be smaller."""
    row, column = (rng.integers(max(s - side_px, 0) + 1) for s in pixels.shape)
    return pixels[row : row + side_px, column : column + side_px]


def shares_of_few(own: Sequence[Pixels], foreign: Sequence[Described]) -> Iterator[str]:
    """Learn from a few micrographs of a set, and look at the others and at foreign."""
    rng = np.random.default_rng(0)
    looks = [look_at(pixels) for pixels in own]
    quarters = [look_at_quarters(pixels) for pixels in own]
    for count in COUNTS:
        shares = []
        for _ in range(DRAWS if count < len(own) else 0):
            order = rng.permutation(len(own)).tolist()
            known = (
                learn(quarters[order[0]], of_one=True)
                if count == 1
                else learn([looks[i] for i in order[:count]])
            )
            rest = [looks[i] for i in order[count:]]
            shares.append((share(rest, known), share(foreign, known)))
        mean = np.mean(shares, axis=0) if shares else ()
        yield ", ".join(f"{value:.0f}" for value in mean)


def shares_of_parts(own: Sequence[Pixels]) -> Iterator[str]:
    """Learn from all micrographs of a set, and look at parts of them."""
    rng = np.random.default_rng(0)
    known = learn([look_at(pixels) for pixels in own])
    for side_px in SIDES_PX:
        parts = [look_at(draw_part(p, side_px, rng)) for p in own for _ in range(PARTS)]
        yield f"{share(parts, known):.0f}"


def main() -> None:
    """Learn from each set, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the sets")
    sets = load(parser.parse_args().data)
    table = Table(
        "learned from",
        *(f"{count}: own, foreign" for count in COUNTS),
        *(f"parts of {side_px} px" for side_px in SIDES_PX),
        title="Warned of, in percent",
    )
    for name, own in sets.items():
        if len(own) == 1:
            continue
        kin = name.startswith("loops")  # loops in steel and in titanium look alike
        foreign = [
            look_at(pixels)
            for other in sets
            if other != name and not (kin and other.startswith("loops"))
            for pixels in sets[other]
        ]
        table.add_row(name, *shares_of_few(own, foreign), *shares_of_parts(own))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
