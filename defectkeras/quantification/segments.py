"""The segments of lines, and the lines that they make up, as tables."""

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from defectkeras.core.arrays import LabelMap
from defectkeras.core.calibration import Calibration
from defectkeras.quantification.line_graph import LineGraph, link_lines
from defectkeras.quantification.lines import LengthWeights, path_length_px
from defectkeras.quantification.runs import Flags, Floats, Integers
from defectkeras.quantification.skeletons import TracedLines

CHORD_PX = 8
"""Local orientations are those of chords over so many pixels."""


def measure_segments(
    traced: TracedLines,
    label_map: LabelMap,
    calibration: Calibration,
    *,
    class_name: str = "line",
    weights: LengthWeights = "unbiased",
    graph: LineGraph | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure each segment of a skeleton, and each line continued straight.

    The tortuosity is the length over the distance of both ends, at least 1 and
    NaN for a ring. The orientation is the axial mean of the local ones, weighted
    by length, in [0, 180) degrees as in `measure_lines`, and its `alignment` the
    mean resultant length, 1 for a straight line.

    Args:
        traced: Skeleton, half widths (H, W) and steps of a mask.
        label_map: (H, W) numbers of the connected lines.
        calibration: With a pixel size, columns in nm are added.
        class_name: Goes into the column `class_name`.
        weights: Of the steps, see `line_length_px`.
        graph: Of the skeleton, when it is there already.

    Returns:
        Two tables. Segments: class_name, label (of the connected line), line,
        start_row_px, start_column_px, start_kind, stop_row_px, stop_column_px,
        stop_kind ("end", "border", "junction"), length_px, chord_px, tortuosity,
        width_px, orientation_deg, alignment. Lines: class_name, label, line,
        segment_count, length_px (with the pieces shared at crossings), chord_px,
        tortuosity, width_px, orientation_deg, alignment, touches_border. And
        length_nm, chord_nm, width_nm in both when the pixel size is known.

    Example:
        >>> from defectkeras.quantification.objects import label_objects
        >>> from defectkeras.quantification.skeletons import trace_lines
        >>> mask = np.zeros((60, 90), bool)
        >>> mask[28:31, 10:80] = mask[10:50, 43:46] = True
        >>> segments, lines = measure_segments(
        ...     trace_lines(mask), label_objects(mask), Calibration())
        >>> len(segments), len(lines), lines["orientation_deg"].round().tolist()
        (4, 2, [90.0, 0.0])
    """
    graph = graph or link_lines(traced)
    shown = np.flatnonzero(~graph.is_hidden)
    paths = [graph.paths[n] for n in shown]
    # Lines are numbered from 1 as they appear.
    line, numbers = pd.factorize(graph.line[shown])
    count = len(numbers)
    pixels, degrees = traced.steps.pixels, traced.steps.degrees
    first_last = np.array([p[[0, -1]] for p in paths], dtype=np.int64).reshape(-1, 2)
    ends = pixels[first_last]
    sums = _sum_paths(paths, pixels, graph.widths_px, weights)
    kinds = [
        [_end_kind(degrees[p], pixels[p], label_map.shape) for p in side]
        for side in first_last.T
    ]
    # One end may lie beside the mask, where thinning has cut a corner
    label = label_map[ends[..., 0], ends[..., 1]].max(axis=1).astype(np.int64)
    chord_px = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    segments = pd.DataFrame(
        {
            "label": label,
            "line": line + 1,
            "start_row_px": ends[:, 0, 0],
            "start_column_px": ends[:, 0, 1],
            "start_kind": kinds[0],
            "stop_row_px": ends[:, 1, 0],
            "stop_column_px": ends[:, 1, 1],
            "stop_kind": kinds[1],
            **sums.table(chord_px),
        }
    )
    whole = sums.grouped(line, count)
    gaps_px = graph.gaps_px[numbers]
    whole = replace(
        whole,
        length_px=whole.length_px + gaps_px,
        chords_px=whole.chords_px + gaps_px,
    )
    chords = _line_chords_px(line, ~graph.turns[shown], ends, count)
    is_cut = np.isin(np.array(kinds).reshape(2, -1), "border").any(axis=0)
    lines = pd.DataFrame(
        {
            "label": label[np.unique(line, return_index=True)[1]],
            "line": np.arange(1, count + 1),
            "segment_count": np.bincount(line, minlength=count),
            **whole.table(chords),
            "touches_border": np.bincount(line, is_cut, count) > 0,
        }
    )
    for table in (segments, lines):
        table.insert(0, "class_name", class_name)
        if calibration.pixel_size_nm is not None:
            for name in ("length", "chord", "width"):
                table[f"{name}_nm"] = table[f"{name}_px"] * calibration.pixel_size_nm
    return segments, lines


def local_orientations(path: Integers, pixels: Integers) -> tuple[Floats, Floats]:
    """Give the orientations along a segment.

    Args:
        path: (P,) pixel numbers in order.
        pixels: (M, 2) row and column of each pixel.

    Returns:
        Angles in radians, counterclockwise from the columns' direction, and
        lengths in px, (N, ) each, of chords over `CHORD_PX` pixels.
    """
    count = max(1, round((len(path) - 1) / CHORD_PX))
    at = np.linspace(0, len(path) - 1, count + 1).round().astype(np.int64)
    rise = np.diff(pixels[path[at]], axis=0)
    return np.arctan2(-rise[:, 0], rise[:, 1]), np.hypot(rise[:, 0], rise[:, 1])


@dataclass(frozen=True, eq=False)
class _Sums:
    """What adds up along the segments of a line, (S,) or (L,) each."""

    length_px: Floats
    chords_px: Floats
    cosine: Floats
    sine: Floats
    width_px: Floats
    pixels: Floats

    def table(self, chord_px: Floats) -> dict[str, Floats]:
        """Give the columns that follow, with the distance of both ends."""
        total = np.maximum(self.chords_px, 1e-9)
        is_open = chord_px > 0
        ratio = np.divide(
            self.chords_px,
            chord_px,
            out=np.full(len(total), np.nan),
            where=is_open,
        )
        return {
            "length_px": self.length_px,
            "chord_px": chord_px,
            "tortuosity": np.maximum(ratio, 1.0),
            "width_px": self.width_px / np.maximum(self.pixels, 1),
            "orientation_deg": np.degrees(np.arctan2(self.sine, self.cosine)) / 2 % 180,
            "alignment": np.hypot(self.cosine, self.sine) / total,
        }

    def grouped(self, index: Integers, count: int) -> "_Sums":
        """Give the sums over groups."""
        return _Sums(
            *(
                np.bincount(index, getattr(self, f.name), count).astype(np.float64)
                for f in fields(self)
            )
        )


def _sum_paths(
    paths: list[Integers], pixels: Integers, widths_px: Floats, weights: LengthWeights
) -> _Sums:
    """Give the sums along each segment; cosine and sine are of twice the angle."""
    rows = []
    for path in paths:
        angles, chords = local_orientations(path, pixels)
        widths = widths_px[path]
        rows.append(
            (
                path_length_px(pixels[path], weights),
                chords.sum(),
                chords @ np.cos(2 * angles),
                chords @ np.sin(2 * angles),
                np.nansum(widths),
                np.count_nonzero(~np.isnan(widths)),
            )
        )
    return _Sums(*np.array(rows, dtype=np.float64).reshape(-1, 6).T)


def _end_kind(degree: int, pixel: Integers, shape: tuple[int, ...]) -> str:
    """Say what a segment ends at."""
    if degree >= 3:
        return "junction"
    at_border = (pixel == 0).any() or (pixel == np.array(shape) - 1).any()
    return "border" if at_border else "end"


def _line_chords_px(
    line: Integers, is_free: Flags, ends: Integers, count: int
) -> Floats:
    """Give the distance of both ends of each line; 0 for a ring.

    Args:
        line: (S,) number of each segment's line.
        is_free: (S, 2) whether the line ends there.
        ends: (S, 2, 2) row and column of start and stop.
        count: Number of lines L.
    """
    owner = np.repeat(line, 2)[is_free.reshape(-1)]
    places = ends.reshape(-1, 2)[is_free.reshape(-1)]
    order = np.argsort(owner, kind="stable")
    owner, places = owner[order], places[order]
    chords = np.zeros(count)
    pairs = np.flatnonzero(owner[1:] == owner[:-1])
    chords[owner[pairs]] = np.linalg.norm(places[pairs + 1] - places[pairs], axis=1)
    return chords
