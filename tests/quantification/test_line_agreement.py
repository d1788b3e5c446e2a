import numpy as np
import pytest

from defectkeras.quantification.line_agreement import find_lines, match_lines


def draw(segment, lines, width=4, shape=(160, 220)):
    mask = np.zeros(shape, bool)
    for start, stop in lines:
        segment(mask, start, stop, width)
    return find_lines(mask)


CROSSING = [((20, 20), (140, 200)), ((140, 20), (20, 200)), ((80, -5), (80, 60))]


def test_lines_that_cross_are_matched_one_by_one(segment):
    one = draw(segment, CROSSING[:2])
    shifted = [((r + 3, c), (s + 3, d)) for (r, c), (s, d) in CROSSING]
    other = draw(segment, shifted)
    match = match_lines(one, other)
    assert (match.true_count, match.predicted_count) == (2, 3)
    assert match.true_positives == 2
    assert match.recall == 1
    assert match.precision == pytest.approx(2 / 3)
    assert match.ious.min() > 0.9


@pytest.mark.parametrize(("apart", "found"), [(0, 1), (3, 1), (8, 0)])
def test_the_tolerance_is_the_width_of_the_lines(segment, apart, found):
    one = draw(segment, [((40, 20), (40, 200))])
    other = draw(segment, [((40 + apart, 20), (40 + apart, 200))])
    assert match_lines(one, other).true_positives == found


def test_half_a_line_is_the_line_and_a_third_is_not(segment):
    whole = draw(segment, [((40, 20), (40, 200))])
    half = draw(segment, [((40, 20), (40, 110))])
    match = match_lines(whole, half)
    assert match.true_positives == 1
    assert match.ious[0] == pytest.approx(2 / 3, abs=0.03)
    pieces = draw(segment, [((40, c), (40, c + 50)) for c in (20, 85, 150)])
    found = match_lines(whole, pieces)
    assert (found.true_positives, found.predicted_count) == (0, 3)
    longer = draw(segment, [((40, 20), (40, 130)), ((40, 150), (40, 200))])
    assert match_lines(whole, longer).true_positives == 1


def test_a_crossing_at_a_right_angle_is_no_match(segment):
    one = draw(segment, [((80, 20), (80, 200))])
    other = draw(segment, [((10, 110), (150, 110))])
    assert match_lines(one, other).f1 == 0


def test_numbers_of_the_annotator_go_before_the_graph():
    mask = np.zeros((40, 90), bool)
    mask[20:23, 5:85] = True
    labels = np.zeros(mask.shape, np.int32)
    labels[20:23, 5:45], labels[20:23, 45:85] = 4, 9
    assert len(find_lines(mask).lengths) == 1
    assert len(find_lines(mask, labels).lengths) == 2


def test_no_lines():
    nothing = find_lines(np.zeros((20, 30), bool))
    one = np.zeros((20, 30), bool)
    one[10, 3:27] = True
    assert match_lines(nothing, nothing).f1 is None
    assert match_lines(nothing, find_lines(one)).f1 == 0
