"""What adds up over the rows of a field of lines: steps, crossings, intercepts.

All but the length hidden at square ends are whole numbers, so that a field that is
read in bands gives the same sums as the whole.
"""

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from defectkeras.core.arrays import Mask
from defectkeras.quantification.intercepts import DIRECTIONS, InterceptGrid
from defectkeras.quantification.lines import line_length_px, steps_length_px
from defectkeras.quantification.runs import Integers
from defectkeras.quantification.skeletons import Steps, find_steps

LineEnds = Literal["round", "square"]

_RAY_STEP_PX = 0.1


@dataclass(frozen=True, eq=False)
class LineRows:
    """Some rows of the maps of a line class, with rows around them.

    Attributes:
        skeleton: (H, W) true in the middle of the lines.
        mask: (H, W) true on the lines.
        reference: (H, W) true where a line would be seen.
        first_row: Row of the micrograph that is the first of the maps.
        counted: Rows of the maps that count; None takes all. Above and below there
            must be `rows_around` more, or the frame.
    """

    skeleton: Mask
    mask: Mask
    reference: Mask
    first_row: int = 0
    counted: slice | None = None


@dataclass(frozen=True)
class LineSums:
    """What adds up over the rows of a field: whole numbers, whatever the order.

    Attributes:
        straight: Straight steps in the used area.
        diagonal: Diagonal ones.
        excess: Sum of (degree - 2) over the junctions.
        intercepts: Crossings with the test lines.
        used_px: Used area in px.
        test_px: Pixels just below the test lines of each direction.
        ends_px: Length that square ends hide.
    """

    straight: int
    diagonal: int
    excess: int
    intercepts: int
    used_px: int
    test_px: tuple[int, ...]
    ends_px: float

    def __add__(self, other: "LineSums") -> "LineSums":
        """Give the sums over both."""
        test_px = zip(self.test_px, other.test_px, strict=True)
        return LineSums(
            self.straight + other.straight,
            self.diagonal + other.diagonal,
            self.excess + other.excess,
            self.intercepts + other.intercepts,
            self.used_px + other.used_px,
            tuple(a + b for a, b in test_px),
            self.ends_px + other.ends_px,
        )


def count_steps(steps: Steps) -> tuple[int, int]:
    """Give the numbers of straight and of diagonal steps."""
    diagonal = int(np.count_nonzero(steps.is_diagonal))
    return len(steps.first) - diagonal, diagonal


def line_width_px(mask_px: int, straight: int, diagonal: int) -> float:
    """Give the mean width of lines.

    Args:
        mask_px: Pixels of the lines.
        straight: Straight steps of their skeleton.
        diagonal: Diagonal ones.
    """
    return mask_px / max(steps_length_px(straight, diagonal), 1.0)


def rows_around(width_px: float, ends: LineEnds) -> int:
    """Give how many rows beyond those that count must be known.

    Args:
        width_px: Mean width of the lines.
        ends: How the mask ends where a line does.
    """
    widths = 6 if ends == "square" else 1
    return math.ceil(widths * width_px) + 3


def sum_lines(
    rows: LineRows,
    width_px: float,
    *,
    ends: LineEnds,
    intercept_spacing_px: int,
    steps: Steps | None = None,
) -> LineSums:
    """Add up steps, crossings and intercepts over some rows.

    Args:
        rows: Their maps.
        width_px: Mean width of the lines of the whole micrograph.
        ends: How the mask ends where a line does.
        intercept_spacing_px: Distance of the test lines.
        steps: Of the skeleton, when they are there already.
    """
    steps = steps or find_steps(rows.skeleton)
    used = _far_from_cuts(rows.reference, width_px)
    if rows.counted is not None:
        used[: rows.counted.start] = False
        used[rows.counted.stop :] = False
    # A step belongs to the pixel where it starts, so none is lost at the rim.
    is_used = used[tuple(steps.pixels.T)]
    excess = int(np.maximum(steps.degrees - 2, 0)[is_used].sum())
    ends_px = 0.0
    if ends == "square":
        ends_px = _hidden_at_ends_px(rows, steps, used, width_px)
    steps = steps.only(is_used[steps.first])
    straight, diagonal = count_steps(steps)
    grids = [InterceptGrid.spaced(d, intercept_spacing_px) for d in DIRECTIONS]
    first_row = rows.first_row
    return LineSums(
        straight=straight,
        diagonal=diagonal,
        excess=excess,
        intercepts=sum(
            int(grid.crossings(steps, first_row=first_row).sum()) for grid in grids
        ),
        used_px=int(np.count_nonzero(used)),
        test_px=tuple(
            int(np.count_nonzero(used[grid.pixels(used.shape, first_row=first_row)]))
            for grid in grids
        ),
        ends_px=ends_px,
    )


def _far_from_cuts(reference: Mask, width_px: float) -> Mask:
    """Give the pixels more than a line width away from frame and holes."""
    margin_px = math.ceil(width_px) + 1
    seen = np.pad(reference, 1).astype(np.uint8)
    distance = cv2.distanceTransform(seen, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance[1:-1, 1:-1] > margin_px, dtype=bool)


def _hidden_at_ends_px(
    rows: LineRows, steps: Steps, used: Mask, width_px: float
) -> float:
    """Give how much longer the lines are than the skeleton at their free ends."""
    ends = steps.pixels[steps.degrees == 1]
    ends = ends[used[ends[:, 0], ends[:, 1]]]
    return sum(_hidden_px(end, rows.skeleton, rows.mask, width_px) for end in ends)


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
    tail_px = line_length_px(tail)
    beyond = np.arange(_RAY_STEP_PX / 2, 4 * width_px, _RAY_STEP_PX)
    places = np.rint(start + beyond[:, None] * along).astype(np.int64)
    rows, columns = np.clip(places, 0, np.array(mask.shape) - 1).T
    leaves = np.flatnonzero(~mask[rows, columns])
    return float(beyond[leaves[0]]) - tail_px if len(leaves) else 0.0
