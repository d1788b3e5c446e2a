"""The graph of a skeleton: segments between ends and junctions, and their lines.

A segment runs from an end or a junction to the next. Junction pixels beside each
other are one node, and so are nodes joined by a segment no longer than three times
the width of the line there plus two pixels, as lines that cross at a small angle
share a piece of their skeleton. At a node the two arms that go on most nearly
straight belong to one line, then the next two, as long as they turn by less than
`MAX_TURN_DEG`; an arm without a partner ends there. So two lines that cross stay
two, and a line that ends on another is not lost.
"""

import itertools
import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import sparse

from defectkeras.core.arrays import Mask
from defectkeras.quantification.line_widths import line_widths_px
from defectkeras.quantification.runs import Flags, Floats, Integers
from defectkeras.quantification.skeletons import Steps, TracedLines, trace_lines

MAX_TURN_DEG = 45.0
"""Arms that would turn by more at a node are two lines."""

_ARM_PX = 6.0  # least length over which an arm's direction is taken
_ARM_WIDTHS = 2.5
_SHARED_WIDTHS = 3.0

_Arm: TypeAlias = tuple[int, int]  # segment, and 0 for its start or 1 for its stop


@dataclass(frozen=True, eq=False)
class LineGraph:
    """Segments of a skeleton and the lines that they make up.

    Attributes:
        paths: S arrays (P,) of skeleton pixels (of `Steps.pixels`), in order.
        line: (S,) number of the line that each segment belongs to.
        is_hidden: (S,) whether a segment is a piece that crossing lines share.
        gaps_px: (L,) length of each line inside its nodes.
        turns: (S, 2) whether the line goes on beyond start and stop.
        widths_px: (P,) of the line at each skeleton pixel; NaN where lines meet.
    """

    paths: tuple[Integers, ...]
    line: Integers
    is_hidden: Flags
    gaps_px: Floats
    turns: Flags
    widths_px: Floats


def link_lines(traced: TracedLines) -> LineGraph:
    """Find segments, and continue lines straight through crossings.

    Args:
        traced: Skeleton, half widths (H, W) and steps of a mask.

    Returns:
        The graph.
    """
    steps = traced.steps
    paths = find_segments(steps)
    widths = 2 * traced.half_widths_px[tuple(steps.pixels.T)]
    node = _nodes(steps, paths, widths)
    is_hidden = np.array([_is_inside(p, node) for p in paths], dtype=bool)
    arms: dict[int, list[_Arm]] = {}
    for number in np.flatnonzero(~is_hidden):
        for side, pixel in enumerate((paths[number][0], paths[number][-1])):
            if node[pixel] >= 0:
                arms.setdefault(int(node[pixel]), []).append((int(number), side))
    links = [
        link
        for meeting in arms.values()
        for link in _straightest(meeting, paths, steps.pixels, widths)
    ]
    first = np.array([a[0] for a, _ in links], dtype=np.int64)
    second = np.array([b[0] for _, b in links], dtype=np.int64)
    count = len(paths)
    joins = sparse.coo_matrix((np.ones(len(links)), (first, second)), (count, count))
    lines, line = sparse.csgraph.connected_components(joins, directed=False)
    turns = np.zeros((count, 2), dtype=bool)
    gaps = np.zeros(lines)
    for a, b in links:
        turns[a], turns[b] = True, True
        ends = steps.pixels[[paths[n][-side] for n, side in (a, b)]]
        gaps[line[a[0]]] += math.dist(*ends)
    shown = list(itertools.compress(paths, ~is_hidden))
    return LineGraph(
        paths,
        line.astype(np.int64),
        is_hidden,
        gaps,
        turns,
        line_widths_px(traced, shown),
    )


def widths_in_mask_px(mask: Mask) -> Floats:
    """Give the widths of the lines of a mask along them.

    Args:
        mask: (H, W) flags.

    Returns:
        (N,) px at the pixels of the skeleton, without those where lines meet.

    Example:
        >>> mask = np.zeros((9, 30), bool)
        >>> mask[3:6] = True
        >>> float(np.median(widths_in_mask_px(mask)))
        3.0
    """
    widths = link_lines(trace_lines(mask)).widths_px
    return widths[~np.isnan(widths)]


def find_segments(steps: Steps) -> tuple[Integers, ...]:
    """Give the pixels of each segment in order.

    Args:
        steps: The graph of a skeleton.

    Returns:
        S arrays (P,) of pixel numbers, from one end or junction to the next; a
        closed ring ends where it starts. Steps between two junction pixels are
        no segments.

    Example:
        >>> from defectkeras.quantification.skeletons import find_steps
        >>> skeleton = np.zeros((5, 7), bool)
        >>> skeleton[2] = skeleton[:, 3] = True
        >>> sorted(len(path) for path in find_segments(find_steps(skeleton)))
        [3, 3, 4, 4]
    """
    neighbors = _neighbors(steps)
    degrees = steps.degrees
    seen = degrees != 2
    paths = []
    for start in np.flatnonzero(seen).tolist():
        for towards in neighbors[start]:
            if not seen[towards]:
                paths.append(_walk(start, towards, neighbors, seen))
            elif degrees[towards] == 1 and (degrees[start] > 1 or start < towards):
                paths.append([start, towards])
    for start in np.flatnonzero(~seen).tolist():
        if not seen[start]:  # a ring without junctions
            seen[start] = True
            paths.append(_walk(start, neighbors[start][0], neighbors, seen))
    return tuple(np.array(path, dtype=np.int64) for path in paths)


def _neighbors(steps: Steps) -> list[list[int]]:
    """Give the pixels one step away from each."""
    near: list[list[int]] = [[] for _ in range(len(steps.pixels))]
    for a, b in zip(steps.first.tolist(), steps.second.tolist(), strict=True):
        near[a].append(b)
        near[b].append(a)
    return near


def _walk(
    start: int,
    towards: int,
    neighbors: list[list[int]],
    seen: Flags,
) -> list[int]:
    """Follow pixels with two neighbors up to the next end or junction."""
    path = [start, towards]
    while not seen[path[-1]]:
        seen[path[-1]] = True
        one, other = neighbors[path[-1]]
        path.append(other if one == path[-2] else one)
    return path


def _nodes(steps: Steps, paths: tuple[Integers, ...], widths: Floats) -> Integers:
    """Give each pixel the number of its node, or -1."""
    is_junction = steps.degrees >= 3
    beside = is_junction[steps.first] & is_junction[steps.second]
    first, second = [steps.first[beside]], [steps.second[beside]]
    inside = is_junction.copy()
    for path in paths:
        ends = path[[0, -1]]
        if (
            is_junction[ends].all()
            and len(path) <= _SHARED_WIDTHS * widths[ends].max() + 2
        ):
            inside[path] = True
            first.append(path[:-1])
            second.append(path[1:])
    count = len(steps.pixels)
    pairs = (np.concatenate(first), np.concatenate(second))
    graph = sparse.coo_matrix((np.ones(len(pairs[0])), pairs), shape=(count, count))
    _, node = sparse.csgraph.connected_components(graph, directed=False)
    return np.where(inside, node, -1).astype(np.int64)


def _is_inside(path: Integers, node: Integers) -> bool:
    """Tell whether all of a segment lies in one node."""
    return bool(node[path[0]] >= 0 and (node[path] == node[path[0]]).all())


def _straightest(
    arms: list[_Arm], paths: tuple[Integers, ...], pixels: Integers, widths: Floats
) -> list[tuple[_Arm, _Arm]]:
    """Pair the arms of a node, the straightest continuation first."""
    directions = np.array(
        [_direction(paths[n][:: -1 if side else 1], pixels, widths) for n, side in arms]
    )
    turns = []
    for a, direction in enumerate(directions):
        cosines = directions[a + 1 :] @ direction
        straight = np.flatnonzero(cosines <= -math.cos(math.radians(MAX_TURN_DEG)))
        turns += [(float(cosines[b]), a, a + 1 + int(b)) for b in straight]
    free = set(range(len(arms)))
    links = []
    for _, a, b in sorted(turns):
        if a in free and b in free:
            links.append((arms[a], arms[b]))
            free -= {a, b}
    return links


def _direction(path: Integers, pixels: Integers, widths: Floats) -> Floats:
    """Give the direction (2,) in which a segment leaves its first pixel.

    Near a crossing the skeleton is bent over half a width, so that is left out
    where the segment is long enough.
    """
    width = float(widths[path[0]])
    reach = math.ceil(max(_ARM_PX, _ARM_WIDTHS * width))
    skipped = min(math.ceil(width / 2), max(len(path) - 3, 0))
    last = min(skipped + reach, len(path) - 1)
    along = (pixels[path[last]] - pixels[path[skipped]]).astype(np.float64)
    return np.asarray(along / max(float(np.linalg.norm(along)), 1e-9))
