"""The maps of a micrograph that does not fit into memory, band by band."""

from collections.abc import Iterator
from dataclasses import dataclass

from defectkeras.core.arrays import ReadRows

BAND_PX = 1 << 23
"""Pixels of a band; memory holds some maps of so many."""


@dataclass(frozen=True)
class Band:
    """Some rows, and the rows around them that are known, too.

    Attributes:
        first: First row.
        stop: Row after the last one.
        first_known: First row that is known.
        stop_known: Row after the last one that is known.
    """

    first: int
    stop: int
    first_known: int
    stop_known: int

    @property
    def inner(self) -> slice:
        """The rows among those that are known."""
        return slice(self.first - self.first_known, self.stop - self.first_known)


@dataclass(frozen=True, eq=False)
class RowMaps:
    """What is known of each pixel, for all rows or some.

    Attributes:
        shape: (H, W).
        classes: Class indices.
        image: Grey levels, or None.
        probability: Of the class that a pixel has, or None.
        uncertainty: Of the probabilities, or None.
        band_px: Pixels of a band.
    """

    shape: tuple[int, int]
    classes: ReadRows
    image: ReadRows | None = None
    probability: ReadRows | None = None
    uncertainty: ReadRows | None = None
    band_px: int = BAND_PX

    def bands(self, around: int = 0) -> Iterator[Band]:
        """Give the bands from the first row to the last.

        Args:
            around: Rows above and below that are wanted, as far as there are any.
        """
        height, width = self.shape
        rows = max(self.band_px // width, 1)
        for first in range(0, height, rows):
            stop = min(first + rows, height)
            yield Band(first, stop, max(first - around, 0), min(stop + around, height))
