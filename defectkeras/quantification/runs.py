"""Runs: the stretches of equal labels in each row, from which all sums follow.

A label map of 16 million pixels with 10,000 objects has some 300,000 runs, so
whatever is summed over runs instead of pixels is fast.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from defectkeras.core.arrays import LabelMap

Integers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Runs:
    """The runs of a label map, sorted by object, then row, then column.

    Attributes:
        index: (R,) number of the object each run belongs to, 0 to N - 1.
        row: (R,) row.
        first: (R,) first column.
        last: (R,) last column, inclusive.
        labels: (N,) the labels of the objects, ascending.
    """

    index: Integers
    row: Integers
    first: Integers
    last: Integers
    labels: Integers

    @property
    def starts(self) -> Integers:
        """(N,) where each object's runs start."""
        return np.searchsorted(self.index, np.arange(len(self.labels)))

    @property
    def lengths(self) -> Integers:
        """(R,) pixels of each run."""
        return self.last - self.first + 1

    @property
    def areas(self) -> Floats:
        """(N,) pixels of each object."""
        return self.sum(self.lengths)

    @property
    def boxes(self) -> tuple[Integers, Integers, Integers, Integers]:
        """Top, left, bottom and right pixel of each object, (N,) each."""
        starts = self.starts
        if len(starts) == 0:
            return starts, starts, starts, starts
        top, left = (np.minimum.reduceat(v, starts) for v in (self.row, self.first))
        bottom, right = (np.maximum.reduceat(v, starts) for v in (self.row, self.last))
        return top, left, bottom, right

    def only(self, kept: Flags) -> "Runs":
        """Give some of the runs (R,); objects keep their numbers."""
        row, first, last = self.row[kept], self.first[kept], self.last[kept]
        return Runs(self.index[kept], row, first, last, self.labels)

    def places(self, width: int, *, first_column: int = 0) -> Integers:
        """Give where the pixels lie in a flat array, run after run.

        Args:
            width: Columns of the array.
            first_column: Column of the array that is the runs' column 0.

        Returns:
            (P,) flat positions.
        """
        lengths = self.lengths
        start = self.row * width + self.first + first_column
        before = np.cumsum(lengths) - lengths
        return np.repeat(start - before, lengths) + np.arange(int(lengths.sum()))

    def sum(self, values: Floats | Integers | Flags) -> Floats:
        """Add one value per run over the runs of each object.

        Args:
            values: (R,) numbers.

        Returns:
            (N,) sums.
        """
        sums = np.bincount(self.index, weights=values, minlength=len(self.labels))
        return sums.astype(np.float64)


def find_runs(label_map: LabelMap) -> Runs:
    """Find the runs of equal, positive labels in each row.

    Args:
        label_map: (H, W) int, 0 where no object is.

    Returns:
        The runs, sorted by object.

    Example:
        >>> runs = find_runs(np.array([[7, 7, 0], [0, 2, 2]], np.int32))
        >>> runs.labels.tolist(), runs.first.tolist(), runs.last.tolist()
        ([2, 7], [1, 0], [2, 1])
    """
    width = label_map.shape[1]
    flat = np.ascontiguousarray(label_map).reshape(-1)
    is_start = np.ones(flat.size, dtype=bool)
    np.not_equal(flat[1:], flat[:-1], out=is_start[1:])
    is_start[::width] = True  # a run ends with its row
    starts = np.flatnonzero(is_start)
    ends = np.concatenate([starts[1:], [flat.size]]) - 1
    label = flat[starts]
    kept = label > 0
    starts, ends, label = starts[kept], ends[kept], label[kept]
    order = np.argsort(label, kind="stable")
    starts, ends = starts[order], ends[order]
    labels, index = np.unique(label[order], return_inverse=True)
    return Runs(
        index=index.astype(np.int64),
        row=starts // width,
        first=starts % width,
        last=ends % width,
        labels=labels.astype(np.int64),
    )


def connect_runs(
    line: Integers, first: Integers, last: Integers, *, diagonal: bool
) -> Integers:
    """Number the connected components of runs.

    Args:
        line: (R,) where each run lies: runs of one object in a row, or all of a row.
            A run touches others on its line plus one.
        first: (R,) first column, by line and then ascending.
        last: (R,) last column.
        diagonal: Whether runs that meet at a corner touch.

    Returns:
        (R,) numbers from 0, in the order of their first runs.

    Example:
        >>> line, first, last = np.array([[0, 0, 1], [0, 4, 2], [1, 5, 3]])
        >>> connect_runs(line, first, last, diagonal=True).tolist()
        [0, 0, 0]
        >>> connect_runs(line, first, last, diagonal=False).tolist()
        [0, 1, 2]
    """
    count = len(line)
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    reach = int(diagonal)
    width = int(last.max()) + 4  # keeps the lines apart on one axis
    starts, ends = line * width + first, line * width + last
    low = np.searchsorted(ends, starts + width - reach)
    high = np.searchsorted(starts, ends + width + reach, side="right")
    touching = np.maximum(high - low, 0)
    upper = np.repeat(np.arange(count), touching)
    before = np.cumsum(touching) - touching
    lower = np.arange(len(upper)) - np.repeat(before - low, touching)
    return components(upper, lower, count)


def components(first: Integers, second: Integers, count: int) -> Integers:
    """Number the connected components of a graph.

    Args:
        first: (P,) one node of each pair that is connected.
        second: (P,) the other one.
        count: Number of nodes.

    Returns:
        (count,) numbers from 0, in the order of their first nodes.
    """
    pairs = coo_array((np.ones(len(first), bool), (first, second)), (count, count))
    _, component = connected_components(pairs, directed=False)
    return np.asarray(component, dtype=np.int64)
