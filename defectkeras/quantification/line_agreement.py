"""Agreement of lines: those of one annotation against another's, with a tolerance.

Lines of two people never share their pixels, so areas tell little. Here the middles
of lines are compared: a pixel of one line agrees with another line that passes no
farther than the tolerance. Two lines may be the same one when at least half of
the pixels of both together agree, and partners are chosen one to one so that most
pixels do. So a line that someone drew half as long still is the same line (two
thirds), and one drawn in three pieces has one partner and leaves two without.

References:
    Buffers around lines: C. Wiedemann, C. Heipke, H. Mayer, O. Jamet, Empirical
    evaluation of automatically extracted road axes, in: K. Bowyer, P. Phillips,
    Empirical Evaluation Techniques in Computer Vision, 1998.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from defectkeras.core.arrays import LabelMap, Mask
from defectkeras.quantification.agreement import ObjectMatch, choose_partners
from defectkeras.quantification.line_graph import link_lines
from defectkeras.quantification.runs import Floats, Integers
from defectkeras.quantification.skeletons import trace_lines

LEAST_TOLERANCE_PX = 3.0
"""Lines this near agree even where they are drawn thinner."""

LEAST_SHARE = 0.5
"""Part of the pixels of two lines that must agree."""


@dataclass(frozen=True, eq=False)
class DrawnLines:
    """The middles of the lines of a mask.

    Attributes:
        pixels: (P, 2) row and column of each pixel.
        line: (P,) number of the line that it belongs to, 0 to L - 1.
        width_px: Mean width of the lines; 0 without any.
    """

    pixels: Integers
    line: Integers
    width_px: float

    @property
    def lengths(self) -> Integers:
        """(L,) pixels of each line."""
        return np.bincount(self.line)


def find_lines(mask: Mask, label_map: LabelMap | None = None) -> DrawnLines:
    """Find the lines of a mask.

    Args:
        mask: (H, W) true on lines some pixels wide.
        label_map: (H, W) numbers of the lines where an annotator has told them
            apart; by default lines are continued straight through crossings.

    Returns:
        Their middles.
    """
    traced = trace_lines(mask)
    pixels = traced.steps.pixels
    graph = link_lines(traced)
    known = graph.widths_px[~np.isnan(graph.widths_px)]
    width_px = float(known.mean()) if len(known) else 0.0
    number = np.zeros(len(pixels), dtype=np.int64)
    if label_map is not None:
        number += label_map[tuple(pixels.T)]
    if not number.any():  # nobody has numbered these lines
        for path, line in zip(graph.paths, graph.line, strict=True):
            number[path] = line + 1
        for path in itertools.compress(graph.paths, graph.is_hidden):
            number[path] = 0
    own = number > 0  # pieces that lines share belong to none
    _, line_of_pixel = np.unique(number[own], return_inverse=True)
    return DrawnLines(pixels[own], line_of_pixel.astype(np.int64), width_px)


def match_lines(true: DrawnLines, predicted: DrawnLines) -> ObjectMatch:
    """Match lines one to one by the share of their pixels that agree.

    The tolerance is the mean width of the lines, `LEAST_TOLERANCE_PX` at least.

    Args:
        true: Lines of one annotator.
        predicted: Lines of another.

    Returns:
        The matches; `ious` are the shares.

    Example:
        >>> mask = np.zeros((40, 60), bool)
        >>> mask[10:13, 5:55] = True
        >>> one, other = find_lines(mask), find_lines(np.roll(mask, 2, axis=0))
        >>> match_lines(one, other).f1, match_lines(one, find_lines(mask.T[:40])).f1
        (1.0, 0.0)
    """
    widths = [lines.width_px for lines in (true, predicted) if len(lines.line)]
    tolerance_px = max(LEAST_TOLERANCE_PX, *widths, 0.0)
    shape = (len(true.lengths), len(predicted.lengths))
    near = _near(true, predicted, tolerance_px, shape)
    near += _near(predicted, true, tolerance_px, shape[::-1]).T
    totals = true.lengths[:, np.newaxis] + predicted.lengths
    shares = near / np.maximum(totals, 1)
    rows, columns = np.nonzero(shares >= LEAST_SHARE)
    rows, columns, found = choose_partners(rows, columns, shares[rows, columns])
    return ObjectMatch(rows, columns, found, *shape)


def _near(
    one: DrawnLines, other: DrawnLines, tolerance_px: float, shape: tuple[int, int]
) -> Floats:
    """Count the pixels of each line that lie near each line of another annotator."""
    if 0 in shape:
        return np.zeros(shape)
    trees = [cKDTree(lines.pixels) for lines in (one, other)]
    pairs = trees[0].sparse_distance_matrix(
        trees[1], tolerance_px, output_type="coo_matrix"
    )
    # A pixel counts once for each line that passes near it.
    seen = np.unique(pairs.row.astype(np.int64) * shape[1] + other.line[pairs.col])
    near = np.zeros(shape)
    np.add.at(near, (one.line[seen // shape[1]], seen % shape[1]), 1)
    return near
