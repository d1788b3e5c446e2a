import dataclasses

import numpy as np

from defectkeras.quantification.line_sums import (
    LineRows,
    count_steps,
    line_width_px,
    rows_around,
    sum_lines,
)
from defectkeras.quantification.skeletons import trace_lines


def test_sums_over_parts_are_those_of_the_whole(segment):
    mask = np.zeros((150, 110), bool)
    for start, stop in (
        ((0, 10), (150, 100)),
        ((70, 0), (60, 110)),
        ((20, 90), (50, 30)),
    ):
        segment(mask, start, stop, 5)
    reference = np.ones_like(mask)
    reference[100:112, 20:40] = False
    traced = trace_lines(mask)
    width_px = line_width_px(int(mask.sum()), *count_steps(traced.steps))
    for ends in ("round", "square"):
        options = {"ends": ends, "intercept_spacing_px": 16}
        maps = (traced.skeleton, mask, reference)
        whole = sum_lines(LineRows(*maps), width_px, **options)
        around = rows_around(width_px, ends)
        total = None
        for first in range(0, 150, 11):
            stop = min(first + 11, 150)
            low, high = max(first - around, 0), min(stop + around, 150)
            counted = slice(first - low, stop - low)
            rows = LineRows(*(m[low:high] for m in maps), low, counted)
            part = sum_lines(rows, width_px, **options)
            total = part if total is None else total + part
        assert abs(total.ends_px - whole.ends_px) < 1e-9
        assert dataclasses.replace(total, ends_px=0) == dataclasses.replace(
            whole, ends_px=0
        )
