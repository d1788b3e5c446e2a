"""Objects that span bands, put together from their runs while a map is read.

An object is whole as soon as none of its pixels lies in the last row that was read.
Then it is given away; memory holds the runs of those that may go on, and nothing is
lost, doubled or cut at the border of a band.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from defectkeras.core.arrays import Mask
from defectkeras.quantification.row_maps import Band
from defectkeras.quantification.runs import (
    Flags,
    Floats,
    Integers,
    Runs,
    components,
    connect_runs,
    find_runs,
)

_COLUMNS = ("row", "first", "last")


@dataclass(frozen=True, eq=False)
class BandRuns:
    """The runs of one class in a band.

    Attributes:
        band: Its rows.
        runs: As if all were of one object, by row and column of the micrograph.
        sums: (R,) each, what is known of each run.
    """

    band: Band
    runs: Runs
    sums: Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class Swept:
    """Objects that are whole.

    Attributes:
        runs: Their runs; a label is the place of the object's first pixel,
            row * W + column.
        sums: (R,) each, what is known of each run.
    """

    runs: Runs
    sums: Mapping[str, Floats]


def runs_of_band(mask: Mask, band: Band) -> Runs:
    """Give the runs of a mask in rows of the micrograph.

    Args:
        mask: The rows of a band, of (H, W).
        band: Where they lie.
    """
    runs = find_runs(mask.astype(np.int32))
    return Runs(runs.index, runs.row + band.first, runs.first, runs.last, runs.labels)


def sweep(
    bands: Iterable[BandRuns],
    shape: tuple[int, int],
    *,
    largest_box_px: int | None = None,
) -> Iterator[Swept]:
    """Put the runs of one class together to 8-connected objects.

    Args:
        bands: From the first row to the last.
        shape: (H, W) of the micrograph.
        largest_box_px: Objects whose bounding box has more pixels are cut at the end
            of a band; None cuts none.

    Yields:
        After each band the objects that are whole since, in the order of their
        first pixels.
    """
    height, width = shape
    held: dict[str, Floats | Integers] = {}
    index = np.zeros(0, dtype=np.int64)
    for found in bands:
        runs = found.runs
        index = _join(held, index, runs, found.band.first)
        new = {name: getattr(runs, name) for name in _COLUMNS} | dict(found.sums)
        held = {n: np.concatenate([held[n], v]) if held else v for n, v in new.items()}
        # By first pixels; runs lie in the order of rows and columns.
        _, first, index = np.unique(index, return_index=True, return_inverse=True)
        rank = np.argsort(np.argsort(first, kind="stable"))
        index = rank[index]
        keys = (held["row"] * width + held["first"])[np.sort(first)].astype(np.int64)
        goes_on = np.zeros(len(keys), dtype=bool)
        if found.band.stop < height:
            goes_on[index[held["row"] == found.band.stop - 1]] = True
            if largest_box_px is not None:
                goes_on &= _box_px(held, index, len(keys)) <= largest_box_px
        is_open = goes_on[index]
        yield _give(held, index, keys, ~is_open)
        held = {name: values[is_open] for name, values in held.items()}
        index = index[is_open]


def _join(
    held: Mapping[str, Floats | Integers], index: Integers, runs: Runs, first_row: int
) -> Integers:
    """Give the numbers of the objects of the runs held, and of those that follow."""
    count = int(index.max()) + 1 if len(index) else 0
    above = held["row"] == first_row - 1 if count else np.zeros(0, dtype=bool)
    line, first, last = (
        np.concatenate([held[name][above], getattr(runs, name)])
        if count
        else getattr(runs, name)
        for name in _COLUMNS
    )
    part = connect_runs(line, first, last, diagonal=True) + count
    size = int(part.max(initial=count)) + 1
    linked = int(np.count_nonzero(above))
    number = components(index[above], part[:linked], size)
    return np.asarray(number[np.concatenate([index, part[linked:]])])


def _give(
    held: Mapping[str, Floats | Integers], index: Integers, keys: Integers, some: Flags
) -> Swept:
    """Give some of the runs, by object."""
    numbers, dense = np.unique(index[some], return_inverse=True)
    order = np.argsort(dense, kind="stable")
    row, first, last = (held[n][some][order].astype(np.int64) for n in _COLUMNS)
    sums = {
        name: values[some][order].astype(np.float64)
        for name, values in held.items()
        if name not in _COLUMNS
    }
    return Swept(Runs(dense[order], row, first, last, keys[numbers]), sums)


def _box_px(
    held: Mapping[str, Floats | Integers], index: Integers, count: int
) -> Integers:
    """Give the pixels of each object's bounding box."""
    sides = []
    for low, high in (("row", "row"), ("first", "last")):
        least = np.full(count, np.iinfo(np.int64).max)
        most = np.zeros(count, dtype=np.int64)
        np.minimum.at(least, index, held[low].astype(np.int64))
        np.maximum.at(most, index, held[high].astype(np.int64))
        sides.append(most - least + 1)
    return np.asarray(sides[0] * sides[1])
