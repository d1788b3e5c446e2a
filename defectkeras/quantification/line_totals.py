"""The length of line in a field, without the bias of masks and frames.

Three things shorten or lengthen the skeletons of lines some pixels wide:

- Where a mask is cut (by the frame, by a region that hides the line, by pixels
  nobody annotated) its skeleton bends or stops short. Only the part of the
  field that is at least one line width away from any cut is used; the length
  per area is the same there.
- Where lines cross, the skeleton runs once along a part that belongs to both.
  A crossing of lines of width w at a random angle hides about 1.1 w + 1.5 px,
  and where a piece is hidden its own crossings are hidden too: with h, the
  length hidden at the seen crossings over that of the skeleton, the length is
  x times that of the skeleton with x = 1 + h x^2.
- Free ends. The skeleton of a mask with round ends (a brush, a distance to the
  line) stops where the line does. One with ends cut square stops short.
"""

import math
from dataclasses import dataclass

import numpy as np

from defectkeras.core.arrays import Mask
from defectkeras.quantification.intercepts import DIRECTIONS
from defectkeras.quantification.line_sums import (
    LineEnds,
    LineRows,
    LineSums,
    count_steps,
    line_width_px,
    sum_lines,
)
from defectkeras.quantification.lines import LengthWeights, steps_length_px
from defectkeras.quantification.skeletons import TracedLines, trace_lines

CROSSING_LOSS = (1.1, 1.5)
"""Length hidden per crossing: line widths, and px; see docs/quantification.md."""

_MIN_USED_FRACTION = 0.05


@dataclass(frozen=True, eq=False)
class LineTotals:
    """Lengths and intercepts in the used part of a field.

    Attributes:
        skeleton_px: Length of the skeleton.
        crossings: Number of crossings of lines.
        ends_px: Length that square ends hide.
        area_px: Used area.
        intercepts: Number of crossings with the test lines.
        test_px: Length of the test lines.
        width_px: Mean width of the lines.
    """

    skeleton_px: float
    crossings: float
    ends_px: float
    area_px: float
    intercepts: float
    test_px: float
    width_px: float

    @property
    def crossing_factor(self) -> float:
        """Length of the lines over that of the skeleton, 1 to 2: x = 1 + h x^2."""
        if self.crossings == 0 or self.skeleton_px == 0:
            return 1.0
        per_crossing_px = CROSSING_LOSS[0] * self.width_px + CROSSING_LOSS[1]
        hidden = min(self.crossings * per_crossing_px / self.skeleton_px, 0.25)
        return (1 - math.sqrt(1 - 4 * hidden)) / (2 * hidden)

    @property
    def correction(self) -> float:
        """Length with crossings and ends over the length of the skeleton."""
        ends = self.ends_px / self.skeleton_px if self.skeleton_px > 0 else 0.0
        return self.crossing_factor + ends

    @property
    def length_per_px(self) -> float:
        """Length of line per area, in px / px^2."""
        return self.skeleton_px * self.correction / self.area_px


def measure_line_totals(
    mask: Mask,
    reference: Mask,
    *,
    weights: LengthWeights = "unbiased",
    ends: LineEnds = "round",
    intercept_spacing_px: int = 16,
    traced: TracedLines | None = None,
) -> LineTotals | None:
    """Measure the length of line and the intercepts in a field.

    Args:
        mask: (H, W) true on lines some pixels wide.
        reference: (H, W) true where a line would be seen: annotated, and not
            hidden by a region.
        weights: Of the steps, see `line_length_px`.
        ends: How the mask ends where a line does.
        intercept_spacing_px: Distance of the test lines, in four directions.
        traced: The traced mask, when it is there already.

    Returns:
        The totals, or None when no part of the field is free of cuts.

    Example:
        >>> mask = np.zeros((90, 120), bool)
        >>> mask[40:45] = True
        >>> totals = measure_line_totals(mask, np.ones_like(mask))
        >>> round(totals.length_per_px * 76, 3)  # 76 rows are used
        0.948
    """
    found = traced or trace_lines(mask)
    width_px = line_width_px(int(np.count_nonzero(mask)), *count_steps(found.steps))
    sums = sum_lines(
        LineRows(found.skeleton, mask, reference),
        width_px,
        ends=ends,
        intercept_spacing_px=intercept_spacing_px,
        steps=found.steps,
    )
    return totals_of(sums, width_px, size=mask.size, weights=weights)


def totals_of(
    sums: LineSums, width_px: float, *, size: int, weights: LengthWeights
) -> LineTotals | None:
    """Give the totals of a field.

    Args:
        sums: Over all of its rows.
        width_px: Mean width of the lines.
        size: Pixels of the field.
        weights: Of the steps.

    Returns:
        The totals, or None when no part of the field is free of cuts.
    """
    if sums.used_px < max(_MIN_USED_FRACTION * size, 1):
        return None
    return LineTotals(
        skeleton_px=steps_length_px(sums.straight, sums.diagonal, weights),
        crossings=sums.excess / 2,
        ends_px=sums.ends_px,
        area_px=float(sums.used_px),
        intercepts=float(sums.intercepts),
        test_px=sum(
            math.hypot(*direction) * count
            for direction, count in zip(DIRECTIONS, sums.test_px, strict=True)
        ),
        width_px=width_px,
    )
