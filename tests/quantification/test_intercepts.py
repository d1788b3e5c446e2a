import numpy as np
import pytest

from defectkeras.quantification.intercepts import (
    DIRECTIONS,
    InterceptGrid,
)
from defectkeras.quantification.lines import line_length_px
from defectkeras.quantification.skeletons import find_steps, trace_lines


def test_all_test_lines_give_the_length_of_the_unbiased_weights(segment):
    """Cauchy and Crofton: the weights are intercepts with every test line."""
    rng = np.random.default_rng(0)
    mask = np.zeros((150, 210), bool)
    for _ in range(8):
        segment(mask, *rng.uniform((0, 0), mask.shape, (2, 2)), 4)
    traced = trace_lines(mask)
    per_direction = [
        InterceptGrid(normal, 1).crossings(traced.steps).sum() / np.hypot(*normal)
        for normal in DIRECTIONS
    ]
    length = np.pi / 2 * np.mean(per_direction)
    assert length == pytest.approx(line_length_px(traced.skeleton))


@pytest.mark.parametrize("normal", DIRECTIONS)
def test_length_of_test_lines(normal):
    grid = InterceptGrid.spaced(normal, 8)
    rows, columns = grid.pixels((64, 96))
    assert ((rows * normal[0] + columns * normal[1]) % grid.period == 0).all()
    distance = grid.period / np.hypot(*normal)
    length = np.hypot(*normal) * len(rows)
    assert length * distance == pytest.approx(64 * 96, rel=0.02)


@pytest.mark.parametrize("first_row", [0, 5])
@pytest.mark.parametrize("normal", DIRECTIONS)
def test_lines_are_crossed_where_they_lie(normal, first_row):
    grid = InterceptGrid(normal, 7)
    below = np.zeros((40, 60), bool)
    below[grid.pixels(below.shape, first_row=first_row)] = True
    skeleton = np.zeros(below.shape, bool)
    skeleton[20, 3:50] = skeleton[4:35, 30] = True
    steps = find_steps(skeleton)
    ends = steps.pixels[steps.first], steps.pixels[steps.first] + steps.moves
    places = [(e + np.array([first_row, 0])) @ np.array(normal) for e in ends]
    lower = np.where((places[0] < places[1])[:, None], *ends)
    straight = abs(steps.moves).sum(axis=1) == 1
    crossed = below[tuple(lower.T)] & (places[0] != places[1])
    found = grid.crossings(steps, first_row=first_row)
    assert found[straight].tolist() == crossed[straight].tolist()
    assert found[straight].any()


def test_a_line_along_a_test_line_is_not_counted_again_and_again():
    skeleton = np.zeros((64, 90), bool)
    skeleton[31] = True
    horizontal = InterceptGrid((1, 0), 1)
    assert horizontal.crossings(find_steps(skeleton)).sum() == 0
    skeleton = np.zeros((64, 90), bool)
    skeleton[31, :45] = skeleton[32, 45:] = True
    assert horizontal.crossings(find_steps(skeleton)).sum() == 1
