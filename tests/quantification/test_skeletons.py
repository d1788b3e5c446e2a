import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from defectkeras.quantification.lines import line_length_px
from defectkeras.quantification.skeletons import (
    fill_pinholes,
    find_steps,
    half_widths_px,
    prune_spurs,
    trace_lines,
)


def count_steps_slowly(skeleton):
    """Count straight steps, and diagonal ones without a straight way round."""
    rows, columns = skeleton.shape
    count = 0
    for r in range(rows):
        for c in range(columns):
            for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
                r2, c2 = r + dr, c + dc
                if not (r2 < rows and 0 <= c2 < columns):
                    continue
                both = skeleton[r, c] and skeleton[r2, c2]
                around = dr and dc and (skeleton[r, c2] or skeleton[r2, c])
                count += bool(both and not around)
    return count


@settings(deadline=None)
@given(arrays(bool, (5, 7)))
def test_steps_agree_with_a_slow_count(skeleton):
    steps = find_steps(skeleton)
    assert len(steps.first) == count_steps_slowly(skeleton)
    moved = steps.pixels[steps.first] + steps.moves
    np.testing.assert_array_equal(moved, steps.pixels[steps.second])
    assert steps.degrees.sum() == 2 * len(steps.first)


@pytest.mark.parametrize("angle_deg", [0, 10, 27, 45, 63, 90, 120])
def test_a_line_becomes_one_line_through_its_middle(segment, angle_deg):
    mask = np.zeros((100, 130), bool)
    along = np.array([np.sin(np.radians(angle_deg)), np.cos(np.radians(angle_deg))])
    segment(mask, np.add((50, 65), -35 * along), np.add((50, 65), 35 * along), 5)
    steps = trace_lines(mask).steps
    assert (steps.degrees == 1).sum() == 2
    assert (steps.degrees > 2).sum() == 0
    offset = (steps.pixels - (50, 65)) @ np.array([along[1], -along[0]])
    assert abs(offset).max() <= 1.5


@pytest.mark.parametrize("turns", range(4))
def test_a_line_along_the_border_keeps_its_length(segment, turns):
    mask = np.zeros((60, 80), bool)
    segment(mask, (1.5, 15), (1.5, 65), 4)
    assert mask[0].any()
    skeleton = np.rot90(trace_lines(np.rot90(mask, turns)).skeleton, -turns)
    assert line_length_px(skeleton, "steps") == pytest.approx(50, abs=1.5)
    assert not skeleton[4:].any()


def test_a_line_out_of_the_field_runs_up_to_the_border(segment):
    mask = np.zeros((60, 80), bool)
    segment(mask, (-20, 10), (90, 70), 5)
    skeleton = trace_lines(mask).skeleton
    assert skeleton[0].any()
    assert skeleton[-1].any()


def test_spurs_are_pruned_and_branches_stay():
    skeleton = np.zeros((30, 50), bool)
    skeleton[15, 5:45] = True
    skeleton[13:15, 20] = True  # a spur of 2 px
    skeleton[3:15, 35] = True  # a branch of 12 px
    widths = np.full(skeleton.shape, 2.5, np.float32)
    pruned = prune_spurs(skeleton, widths)
    expected = skeleton.copy()
    expected[13:15, 20] = False
    np.testing.assert_array_equal(pruned, expected)


def test_ragged_edges_lengthen_lines_by_some_percent(segment):
    """3 of 10 pixels of the rim are missing; clean masks have no bias."""
    rng = np.random.default_rng(0)
    clean = ragged = junctions = 0
    for angle in rng.uniform(0, np.pi, 12):
        mask = np.zeros((160, 180), bool)
        middle = np.array([80, 90])
        along = 60 * np.array([np.sin(angle), np.cos(angle)])
        segment(mask, middle - along, middle + along, 6)
        clean += line_length_px(trace_lines(mask).skeleton)
        mask &= (half_widths_px(mask) > 1) | (rng.random(mask.shape) < 0.7)
        skeleton = trace_lines(mask).skeleton
        ragged += line_length_px(skeleton)
        junctions += (find_steps(skeleton).degrees > 2).sum()
    assert 1.0 < ragged / clean < 1.05
    assert junctions < 12  # less than one per line


def test_pinholes_are_filled_and_holes_stay():
    mask = np.ones((30, 40), bool)
    mask[5:7, 5:9] = False  # 8 px
    mask[20, 10:19] = False  # 9 px
    filled = fill_pinholes(mask)
    assert filled[5:7, 5:9].all()
    assert not filled[20, 10:19].any()


def test_half_widths(segment):
    mask = np.zeros((41, 70), bool)
    mask[18:23] = True
    widths = half_widths_px(mask)
    assert (widths[20] == 2.5).all()  # the border is not an edge of the line
    assert widths[5, 5] == 0
    assert half_widths_px(np.ones((4, 6), bool)).min() > 0


@pytest.mark.parametrize("shape", [(1, 5), (3, 8)])
def test_no_line(shape):
    traced = trace_lines(np.zeros(shape, bool))
    assert not traced.skeleton.any()
    assert len(traced.steps.first) == len(traced.steps.pixels) == 0
