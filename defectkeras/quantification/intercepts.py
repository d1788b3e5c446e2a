"""Intercepts: how often the lines of a skeleton cross straight test lines.

A test line runs where row * a + column * b lies half a pixel above a multiple of
its spacing, so that no pixel is on it. A step crosses it when its two pixels lie
on either side: a line nearly parallel to it counts once for each real crossing.
"""

import math
from dataclasses import dataclass

import numpy as np

from defectkeras.quantification.runs import Integers
from defectkeras.quantification.skeletons import Steps

DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Normals (a, b) of the test lines: along columns, rows and both diagonals."""


@dataclass(frozen=True)
class InterceptGrid:
    """Parallel test lines.

    Attributes:
        normal: (a, b) across the lines, of `DIRECTIONS`.
        period: Distance of two lines in units of row * a + column * b.
    """

    normal: tuple[int, int]
    period: int

    @classmethod
    def spaced(cls, normal: tuple[int, int], spacing_px: float) -> "InterceptGrid":
        """Give lines at about this distance.

        Args:
            normal: (a, b) across the lines.
            spacing_px: Distance of two lines.
        """
        return cls(normal, max(1, round(spacing_px * math.hypot(*normal))))

    def crossings(self, steps: Steps, *, first_row: int = 0) -> Integers:
        """Count the test lines that each step crosses.

        Args:
            steps: Of a skeleton, S of them.
            first_row: Row of the micrograph that is the first of the skeleton.

        Returns:
            (S,) 0, 1 or, for diagonals and period 1, 2.
        """
        places = steps.pixels[steps.first] + (first_row, 0)
        before = places @ np.array(self.normal)
        after = before + steps.moves @ np.array(self.normal)
        low, high = np.minimum(before, after), np.maximum(before, after)
        # Test lines at k * period + 1/2 between two whole numbers.
        return np.asarray((high - 1) // self.period - (low - 1) // self.period)

    def pixels(
        self, shape: tuple[int, ...], *, first_row: int = 0
    ) -> tuple[Integers, Integers]:
        """Give the pixels just below the test lines in a field.

        Args:
            shape: (H, W).
            first_row: Row of the micrograph that is the first of the field.

        Returns:
            Rows and columns of the pixels on all lines.
        """
        a, b = self.normal
        if b == 0:
            line_rows = np.arange(-first_row % self.period, shape[0], self.period)
            places = np.meshgrid(line_rows, np.arange(shape[1]))
            return places[0].ravel(), places[1].ravel()
        rows = np.arange(shape[0])[:, None]
        number = np.arange(-(-shape[1] // self.period))
        columns = (-(rows + first_row) * a * b) % self.period + number * self.period
        inside = columns < shape[1]
        return np.broadcast_to(rows, columns.shape)[inside], columns[inside]
