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
from typing import Literal

import cv2
import numpy as np

from defectkeras.core.arrays import Mask
from defectkeras.quantification.intercepts import DIRECTIONS, InterceptGrid
from defectkeras.quantification.lines import LengthWeights, step_lengths_px
from defectkeras.quantification.runs import Integers
from defectkeras.quantification.skeletons import (
    Steps,
    TracedLines,
    find_steps,
    trace_lines,
)

LineEnds = Literal["round", "square"]

CROSSING_LOSS = (1.1, 1.5)
"""Length hidden per crossing: line widths, and px; see docs/quantification.md."""

_RAY_STEP_PX = 0.1
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
    steps = found.steps
    length_px = float(step_lengths_px(steps).sum())
    width_px = float(np.count_nonzero(mask)) / max(length_px, 1.0)
    used = _far_from_cuts(reference, width_px)
    used_px = int(np.count_nonzero(used))
    if used_px < max(_MIN_USED_FRACTION * mask.size, 1):
        return None
    # A step belongs to the pixel where it starts, so none is lost at the rim.
    is_used = used[tuple(steps.pixels.T)]
    excess = int(np.maximum(steps.degrees - 2, 0)[is_used].sum())
    steps = steps.only(is_used[steps.first])
    intercepts, test_px = _count_intercepts(steps, used, intercept_spacing_px)
    is_square = ends == "square"
    return LineTotals(
        skeleton_px=float(step_lengths_px(steps, weights).sum()),
        crossings=excess / 2,
        ends_px=_hidden_at_ends_px(found, used, mask, width_px) if is_square else 0.0,
        area_px=float(used_px),
        intercepts=intercepts,
        test_px=test_px,
        width_px=width_px,
    )


def _far_from_cuts(reference: Mask, width_px: float) -> Mask:
    """Give the pixels more than a line width away from frame and holes."""
    margin_px = math.ceil(width_px) + 1
    seen = np.pad(reference, 1).astype(np.uint8)
    distance = cv2.distanceTransform(seen, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance[1:-1, 1:-1] > margin_px, dtype=bool)


def _count_intercepts(steps: Steps, used: Mask, spacing_px: int) -> tuple[float, float]:
    """Count intercepts, and measure the test lines."""
    count = test_px = 0.0
    for direction in DIRECTIONS:
        lines = InterceptGrid.spaced(direction, spacing_px)
        count += float(lines.crossings(steps).sum())
        test_px += lines.length_per_pixel * np.count_nonzero(
            used[lines.pixels(used.shape)]
        )
    return count, test_px


def _hidden_at_ends_px(
    traced: TracedLines, used: Mask, mask: Mask, width_px: float
) -> float:
    """Give how much longer the lines are than the skeleton at their free ends."""
    steps = traced.steps
    ends = steps.pixels[steps.degrees == 1]
    ends = ends[used[ends[:, 0], ends[:, 1]]]
    return sum(_hidden_px(end, traced.skeleton, mask, width_px) for end in ends)


def _hidden_px(end: Integers, skeleton: Mask, mask: Mask, width_px: float) -> float:
    """Give how far the mask goes on beyond one end of its skeleton.

    Near a square end the skeleton bends into a corner. So its last two widths
    are replaced by a straight line that runs on from there to the mask's end.
    """
    reach = math.ceil(4 * width_px)
    corner = np.maximum(end - reach, 0)
    near = skeleton[corner[0] : end[0] + reach + 1, corner[1] : end[1] + reach + 1]
    _, parts = cv2.connectedComponents(near.astype(np.uint8), connectivity=8)
    line = np.argwhere(parts == parts[tuple(end - corner)]) + corner
    distance = np.linalg.norm(line - end, axis=1)
    is_tail = distance <= 2 * width_px
    if np.count_nonzero(~is_tail) < width_px:
        return 0.0
    start = line[~is_tail][np.argmin(distance[~is_tail])]
    along = start - line[~is_tail].mean(axis=0)
    along /= max(float(np.linalg.norm(along)), 1e-9)
    tail = np.zeros(near.shape, dtype=bool)
    tail[tuple((line[is_tail] - corner).T)] = True
    tail[tuple(start - corner)] = True
    tail_px = float(step_lengths_px(find_steps(tail)).sum())
    beyond = np.arange(_RAY_STEP_PX / 2, 4 * width_px, _RAY_STEP_PX)
    places = np.rint(start + beyond[:, None] * along).astype(np.int64)
    rows, columns = np.clip(places, 0, np.array(mask.shape) - 1).T
    leaves = np.flatnonzero(~mask[rows, columns])
    return float(beyond[leaves[0]]) - tail_px if len(leaves) else 0.0
