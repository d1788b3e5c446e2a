import numpy as np
import pytest

from defectkeras.quantification.line_graph import (
    find_segments,
    link_lines,
    widths_in_mask_px,
)
from defectkeras.quantification.skeletons import find_steps, trace_lines


def draw_cross(segment, angle_deg, width, turn_deg=17):
    mask, center = np.zeros((200, 260), bool), np.array([100.4, 130.2])
    for degrees in (turn_deg, turn_deg + angle_deg):
        along = 80 * np.array(
            [np.sin(np.radians(degrees)), np.cos(np.radians(degrees))]
        )
        segment(mask, center - along, center + along, width)
    return mask


def count_lines(mask):
    graph = link_lines(trace_lines(mask))
    return len(np.unique(graph.line[~graph.is_hidden]))


@pytest.mark.parametrize("width", [3, 5, 8])
@pytest.mark.parametrize("angle_deg", [90, 60, 40])
def test_lines_that_cross_are_two(segment, angle_deg, width):
    assert count_lines(draw_cross(segment, angle_deg, width)) == 2


def test_a_line_that_ends_on_another_is_kept(segment):
    mask = np.zeros((120, 160), bool)
    segment(mask, (60, 10), (60, 150), 5)
    segment(mask, (10, 80), (60, 80), 5)
    graph = link_lines(trace_lines(mask))
    sizes = np.bincount(graph.line[~graph.is_hidden])
    assert sorted(sizes[sizes > 0].tolist()) == [1, 2]


def test_a_sharp_turn_is_no_continuation(segment):
    mask = np.zeros((120, 160), bool)
    for stop in ((10, 20), (10, 140), (110, 80)):  # three arms, 120 degrees apart
        segment(mask, (60, 80), stop, 4)
    assert count_lines(mask) == 3


def test_a_ring_is_one_segment():
    rows, columns = np.ogrid[:60, :80]
    radius = np.hypot(rows - 30, columns - 40)
    traced = trace_lines((radius > 17) & (radius < 22))
    paths = find_segments(traced.steps)
    assert len(paths) == 1
    assert paths[0][0] == paths[0][-1]


def test_every_step_between_junctions_is_in_one_segment(segment):
    steps = find_steps(trace_lines(draw_cross(segment, 70, 4)).skeleton)
    paths = find_segments(steps)
    walked = sum(len(path) - 1 for path in paths)
    is_junction = steps.degrees >= 3
    inside = np.count_nonzero(is_junction[steps.first] & is_junction[steps.second])
    assert walked == len(steps.first) - inside


def test_no_line():
    graph = link_lines(trace_lines(np.zeros((20, 30), bool)))
    assert len(graph.paths) == len(graph.line) == 0


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("turned", [False, True])
def test_widths_of_a_mask(width, turned):
    mask = np.zeros((40, 90), bool)
    mask[10 : 10 + width, 5:80] = True
    widths = widths_in_mask_px(mask.T if turned else mask)
    assert np.median(widths) == pytest.approx(width, abs=0.15)


def test_widths_where_lines_meet_are_left_out():
    mask = np.zeros((60, 90), bool)
    mask[28:31] = mask[:, 40:43] = True
    widths = widths_in_mask_px(mask)
    assert np.isfinite(widths).all()
    assert widths.max() == pytest.approx(3, abs=0.3)
    assert len(widths_in_mask_px(np.zeros((9, 12), bool))) == 0


def test_line_across_the_field_is_no_thinner_at_its_border():
    mask = np.zeros((20, 50), bool)
    mask[:, 30:33] = True
    assert widths_in_mask_px(mask) == pytest.approx(np.full(20, 3))
