"""Line classes of a micrograph that is read in bands.

Whole connected lines are drawn again, each into a window around it, and traced
there. What thins a line is its own pixels and the frame, so that the window gives
what the whole micrograph would. A network whose box has more than `LARGEST_BOX_PX`
is cut at the border of a band: there each line is short by about its width, and
counts as two.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from defectkeras.core.arrays import Mask
from defectkeras.core.labels import DefectClass
from defectkeras.quantification.field import Known, describe_lines
from defectkeras.quantification.hidden_lines import HiddenRows, join_behind_regions
from defectkeras.quantification.hidden_lines import rows_around as rows_around_regions
from defectkeras.quantification.line_quantities import LineClass, LineTables
from defectkeras.quantification.line_sums import (
    LineRows,
    LineSums,
    count_steps,
    line_width_px,
    rows_around,
    sum_lines,
)
from defectkeras.quantification.line_totals import totals_of
from defectkeras.quantification.row_maps import RowMaps
from defectkeras.quantification.runs import Integers, Runs
from defectkeras.quantification.skeletons import trace_lines
from defectkeras.quantification.sweep import BandRuns, runs_of_band, sweep

LARGEST_BOX_PX = 1 << 26
"""Pixels of the largest window that lines are drawn into."""


@dataclass(eq=False)
class _Work:
    """What is measured, and what was found so far."""

    maps: RowMaps
    defect_class: DefectClass
    known: Known
    tables: list[LineTables] = field(default_factory=list)
    skeleton: list[Integers] = field(default_factory=list)
    steps: tuple[int, int] = (0, 0)
    class_px: int = 0
    hidden_px: int = 0


def measure_streamed_lines(
    maps: RowMaps, defect_class: DefectClass, known: Known
) -> LineClass:
    """Measure a line class, see `Field.measure_line`.

    Args:
        maps: Of the micrograph, all of it annotated.
        defect_class: The class.
        known: Classes, calibration and methods.
    """
    work = _Work(maps, defect_class, known)
    # Tables without a row have their columns, too.
    _trace(np.zeros((1, 1), dtype=bool), (0, 0), np.zeros(0, dtype=np.int64), work)
    for swept in sweep(_bands(work), maps.shape, largest_box_px=LARGEST_BOX_PX):
        for part in _by_window(swept.runs, maps.shape):
            _trace(*_draw(part, maps.shape), part.labels, work)
    tables = _in_order(work.tables)
    width_px = line_width_px(work.class_px, *work.steps)
    sums = _sum(work, width_px)
    height, width = maps.shape
    return LineClass(
        defect_class=defect_class,
        totals=totals_of(
            sums, width_px, size=height * width, weights=known.settings.length_weights
        ),
        tables=tables,
        groups=join_behind_regions(
            tables.segments,
            len(tables.traces),
            _hidden_rows(maps, known, tables.mean_width_px),
            tables.mean_width_px,
        ),
        class_px=work.class_px,
        field_px=height * width,
        reference_px=height * width - work.hidden_px,
        calibration=known.calibration,
        settings=known.settings,
    )


def _bands(work: _Work) -> Iterator[BandRuns]:
    """Read the runs of the class, and count pixels on the way."""
    for band in work.maps.bands():
        classes = work.maps.classes(band.first, band.stop)
        mask = classes == work.defect_class.index
        work.class_px += int(np.count_nonzero(mask))
        work.hidden_px += int(np.count_nonzero(work.known.hides_lines(classes)))
        yield BandRuns(band, runs_of_band(mask, band), {})


def _trace(
    mask: Mask,
    origin: tuple[int, int],
    labels: Integers,
    work: _Work,
) -> None:
    """Trace the lines of a window and keep what was measured."""
    traced = trace_lines(mask)
    tables = describe_lines(
        mask,
        traced,
        work.defect_class,
        work.known.calibration,
        work.known.settings,
        origin=origin,
    )
    for table in (tables.lines, tables.segments, tables.traces):
        table["label"] = labels[table["label"].to_numpy(dtype=np.int64) - 1]
    work.tables.append(tables)
    places = traced.steps.pixels + np.array(origin)
    work.skeleton.append(places[:, 0] * work.maps.shape[1] + places[:, 1])
    straight, diagonal = count_steps(traced.steps)
    work.steps = work.steps[0] + straight, work.steps[1] + diagonal


def _by_window(runs: Runs, shape: tuple[int, int]) -> Iterator[Runs]:
    """Put lines together that share a window of at most `LARGEST_BOX_PX`.

    Short ones come first; one that is long may have a window of its own.
    """
    if len(runs.labels) == 0:
        return
    top, _, bottom, _ = runs.boxes
    most_rows = max(LARGEST_BOX_PX // shape[1], 1)
    window = np.zeros(len(top), dtype=np.int64)
    number, low, high = -1, 0, 0
    for i in np.argsort(bottom - top, kind="stable").tolist():
        low, high = min(low, int(top[i])), max(high, int(bottom[i]))
        if number < 0 or high - low >= most_rows:
            number, low, high = number + 1, int(top[i]), int(bottom[i])
        window[i] = number
    for chosen in range(number + 1):
        objects = np.flatnonzero(window == chosen)
        part = runs.only((window == chosen)[runs.index])
        index = np.searchsorted(objects, part.index)
        yield replace(part, index=index, labels=runs.labels[objects])


def _draw(runs: Runs, shape: tuple[int, int]) -> tuple[Mask, tuple[int, int]]:
    """Draw runs into a window with a free rim, unless that lies beyond the frame."""
    top, left = max(int(runs.row.min()) - 1, 0), max(int(runs.first.min()) - 1, 0)
    stop = min(int(runs.row.max()) + 2, shape[0])
    end = min(int(runs.last.max()) + 2, shape[1])
    mask = np.zeros((stop - top, end - left), dtype=bool)
    places = runs.places(end - left, first_column=-left) - top * (end - left)
    mask.reshape(-1)[places] = True
    return mask, (top, left)


def _in_order(parts: list[LineTables]) -> LineTables:
    """Put tables together in the order in which a whole micrograph has them."""
    lines = _stack([p.lines for p in parts])
    segments = _stack([p.segments.assign(window=n) for n, p in enumerate(parts)])
    traces = _stack([p.traces.assign(window=n) for n, p in enumerate(parts)])
    lines = lines.sort_values("label", kind="stable", ignore_index=True)
    keys = lines["label"].to_numpy()
    # Segments come in the order of the pixels where they start, rings at last.
    start, stop = (
        segments[[f"{side}_row_px", f"{side}_column_px"]].to_numpy()
        for side in ("start", "stop")
    )
    is_ring = (start == stop).all(axis=1) & (segments["start_kind"] != "junction")
    order = np.lexsort((start[:, 1], start[:, 0], is_ring))
    segments = segments.iloc[order].reset_index(drop=True)
    line, names = pd.factorize(pd.MultiIndex.from_frame(segments[["window", "line"]]))
    segments["line"] = line + 1
    traces = traces.set_index(["window", "line"]).loc[list(names)].reset_index()
    traces["line"] = np.arange(1, len(traces) + 1)
    for table in (lines, segments, traces):
        table["label"] = np.searchsorted(keys, table["label"].to_numpy()) + 1
    segments, traces = (
        table[list(like.columns)]
        for table, like in ((segments, parts[0].segments), (traces, parts[0].traces))
    )
    return LineTables(lines, segments, traces)


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([t for t in tables if len(t)] or tables[:1], ignore_index=True)


def _sum(work: _Work, width_px: float) -> LineSums:
    """Add up steps, crossings and intercepts in a second reading."""
    maps, known, settings = work.maps, work.known, work.known.settings
    places = np.sort(np.concatenate(work.skeleton))
    width = maps.shape[1]
    total: LineSums | None = None
    for band in maps.bands(rows_around(width_px, settings.line_ends)):
        classes = maps.classes(band.first_known, band.stop_known)
        skeleton = np.zeros(classes.shape, dtype=bool)
        low, high = np.searchsorted(
            places, [band.first_known * width, band.stop_known * width]
        )
        skeleton.reshape(-1)[places[low:high] - band.first_known * width] = True
        rows = LineRows(
            skeleton,
            classes == work.defect_class.index,
            ~known.hides_lines(classes),
            band.first_known,
            band.inner,
        )
        sums = sum_lines(
            rows,
            width_px,
            ends=settings.line_ends,
            intercept_spacing_px=settings.intercept_spacing_px,
        )
        total = sums if total is None else total + sums
    if total is None:
        raise ValueError("`maps` must have rows.")
    return total


def _hidden_rows(maps: RowMaps, known: Known, width_px: float) -> Iterator[HiddenRows]:
    """Give where regions hide lines, band by band."""
    for band in maps.bands(rows_around_regions(width_px)):
        hidden = known.hides_lines(maps.classes(band.first_known, band.stop_known))
        yield HiddenRows(hidden, band.first_known, (band.first, band.stop))
