"""Skeletons: the middle lines of a mask, and the graph of their steps.

A step joins two neighboring skeleton pixels; a diagonal step counts only where
no straight one leads the same way. Ends have one step, junctions three or more.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from defectkeras.core.arrays import Mask
from defectkeras.quantification.runs import Flags, Integers
from defectkeras.quantification.thinning import thin

MAX_PINHOLE_PX = 8
"""Holes up to this area are filled: each would become a ring of skeleton."""

_PAD_PX = 16
_SPUR_EXTRA_PX = 2


@dataclass(frozen=True)
class Steps:
    """The graph of a skeleton.

    Attributes:
        pixels: (P, 2) row and column of each skeleton pixel.
        first: (S,) index of the pixel where each step starts.
        second: (S,) index of the pixel where it ends; below or to the right.
        moves: (S, 2) rows and columns of each step, of (0, 1), (1, 0), (1, 1)
            and (1, -1).
    """

    pixels: Integers
    first: Integers
    second: Integers
    moves: Integers

    @property
    def is_diagonal(self) -> Flags:
        """(S,) whether a step goes along both axes."""
        return np.asarray(np.abs(self.moves).sum(axis=1) == 2)

    def only(self, kept: Flags) -> "Steps":
        """Give some of the steps.

        Args:
            kept: (S,) which of them.
        """
        return Steps(self.pixels, self.first[kept], self.second[kept], self.moves[kept])

    @property
    def degrees(self) -> Integers:
        """(P,) number of steps at each pixel."""
        ends = np.concatenate([self.first, self.second])
        return np.bincount(ends, minlength=len(self.pixels))


def find_steps(skeleton: Mask) -> Steps:
    """Find the steps between neighboring pixels of a skeleton.

    Args:
        skeleton: (H, W) true on lines one pixel wide.

    Returns:
        The graph.

    Example:
        >>> steps = find_steps(np.array([[1, 1, 0, 0], [0, 0, 1, 1]], bool))
        >>> steps.moves.tolist(), steps.degrees.tolist()
        ([[0, 1], [0, 1], [1, 1]], [1, 2, 2, 1])
    """
    padded = np.pad(skeleton, 1)
    width = padded.shape[1]
    flags = padded.reshape(-1)
    place = np.flatnonzero(flags)
    number = np.full(flags.size, -1, dtype=np.int32)
    number[place] = np.arange(len(place), dtype=np.int32)
    right, below = flags[place + 1], flags[place + width]
    left = flags[place - 1]
    found = {
        (0, 1): right,
        (1, 0): below,
        (1, 1): flags[place + width + 1] & ~right & ~below,
        (1, -1): flags[place + width - 1] & ~left & ~below,
    }
    first, second, moves = [], [], []
    for (dr, dc), there in found.items():
        start = np.flatnonzero(there)
        first.append(start)
        second.append(number[place[start] + dr * width + dc].astype(np.int64))
        moves.append(np.broadcast_to(np.array([dr, dc]), (len(start), 2)))
    pixels = np.stack([place // width - 1, place % width - 1], axis=1)
    return Steps(
        pixels, np.concatenate(first), np.concatenate(second), np.concatenate(moves)
    )


@dataclass(frozen=True, eq=False)
class TracedLines:
    """The lines of a mask, thinned.

    Attributes:
        skeleton: (H, W) true in the middle of the lines.
        half_widths_px: (H, W) distance to the edge of the mask.
        steps: The graph of the skeleton.
    """

    skeleton: Mask
    half_widths_px: NDArray[np.float32]
    steps: Steps


def trace_lines(mask: Mask) -> TracedLines:
    """Thin the lines of a mask and find the steps along them.

    Pinholes are filled and the mask is continued over the border, so that a
    line that leaves the field runs up to it; then it is thinned (Guo and Hall
    1989, doi:10.1145/62065.62074). The middle of one that runs along the border would
    lie beyond it, so such a line is thinned as it is seen. At last spurs go: branches
    that end freely, no farther from their junction than the edge of the mask there
    plus two pixels.

    Args:
        mask: (H, W) true on lines some pixels wide.

    Returns:
        Skeleton, half widths and steps.
    """
    filled = fill_pinholes(mask)
    widths = half_widths_px(filled)
    inside = (slice(_PAD_PX, -_PAD_PX), slice(_PAD_PX, -_PAD_PX))
    thinned = thin(np.pad(filled, _PAD_PX, mode="edge"))[inside]
    thinned |= thin(_without_skeleton(filled, thinned))
    skeleton = prune_spurs(np.ascontiguousarray(thinned), widths)
    return TracedLines(skeleton, widths, find_steps(skeleton))


def _without_skeleton(mask: Mask, skeleton: Mask) -> Mask:
    """Give the connected parts of a mask in which no pixel of a skeleton lies."""
    count, part = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    is_lost = np.bincount(part[skeleton], minlength=count) == 0
    is_lost[0] = False
    return np.asarray(is_lost[part], dtype=bool)


def fill_pinholes(mask: Mask) -> Mask:
    """Fill holes of at most `MAX_PINHOLE_PX` pixels, away from the border.

    Args:
        mask: (H, W) flags.

    Returns:
        (H, W) flags.
    """
    _, holes, statistics, _ = cv2.connectedComponentsWithStats(
        (~mask).astype(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    left, top, width, height, area = statistics.T
    rows, columns = mask.shape
    inside = (left > 0) & (top > 0) & (left + width < columns) & (top + height < rows)
    small = inside & (area <= MAX_PINHOLE_PX)
    small[0] = True  # the mask itself
    return np.asarray(small[holes], dtype=bool)


def half_widths_px(mask: Mask) -> NDArray[np.float32]:
    """Give each pixel's distance to the edge of the mask.

    Args:
        mask: (H, W) flags; it is continued over the border.

    Returns:
        (H, W) float32; in the middle of a line of width w it is about w / 2.
    """
    padded = np.pad(mask, _PAD_PX, mode="edge").astype(np.uint8)
    if padded.all():
        return np.full(mask.shape, float(max(mask.shape)), dtype=np.float32)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inner = distance[_PAD_PX:-_PAD_PX, _PAD_PX:-_PAD_PX] - 0.5
    return np.asarray(np.maximum(inner, 0), dtype=np.float32)


def prune_spurs(skeleton: Mask, half_widths: NDArray[np.float32]) -> Mask:
    """Remove free branches that do not reach beyond the edge of their line.

    Args:
        skeleton: (H, W) flags.
        half_widths: (H, W) distance to the edge of the mask in px.

    Returns:
        (H, W) flags.
    """
    steps = find_steps(skeleton)
    degrees = steps.degrees
    is_junction = degrees >= 3
    if not is_junction.any():
        return skeleton
    count = len(steps.pixels)
    on_branch = ~is_junction[steps.first] & ~is_junction[steps.second]
    pairs = (steps.first[on_branch], steps.second[on_branch])
    graph = sparse.coo_matrix((np.ones(len(pairs[0])), pairs), shape=(count, count))
    _, branch = sparse.csgraph.connected_components(graph, directed=False)
    rows, columns = steps.pixels.T
    reach_px = np.zeros(count)  # from a branch's junction to the edge of the mask
    for a, b in ((steps.first, steps.second), (steps.second, steps.first)):
        leaves = is_junction[a] & ~is_junction[b]
        halves = half_widths[rows[a[leaves]], columns[a[leaves]]]
        np.maximum.at(reach_px, branch[b[leaves]], halves + _SPUR_EXTRA_PX)
    length_px = np.bincount(branch, minlength=count)
    has_end = np.bincount(branch[degrees == 1], minlength=count)[:count] == 1
    is_spur = has_end & (length_px <= reach_px)
    dropped = is_spur[branch] & ~is_junction
    pruned = skeleton.copy()
    pruned[rows[dropped], columns[dropped]] = False
    return pruned
