import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.quantification.lines import (
    DIAGONAL_PX,
    STRAIGHT_PX,
    line_length_px,
    measure_lines,
)


def draw_digital_line(angle, length=400):
    """Give the one pixel wide line of an angle, and its length."""
    steep = abs(np.sin(angle)) > abs(np.cos(angle))
    slope = np.tan(np.pi / 2 - angle) if steep else np.tan(angle)
    along = np.arange(length)
    across = np.rint(along * slope).astype(int)
    across -= across.min()
    skeleton = np.zeros((length, across.max() + 3), bool)
    skeleton[along, across] = True
    return skeleton, (length - 1) * np.hypot(1, slope)


@pytest.mark.parametrize(
    ("weights", "mean", "tolerance"),
    [("unbiased", 1.0, 0.003), ("steps", 1.0548, 0.003), ("pixels", 0.9003, 0.003)],
)
def test_bias_of_the_three_weights_over_all_angles(weights, mean, tolerance):
    ratios = []
    for angle in (np.arange(180) + 0.5) * np.pi / 180:
        skeleton, length = draw_digital_line(angle)
        ratios.append(line_length_px(skeleton, weights) / length)
    assert np.mean(ratios) == pytest.approx(mean, abs=tolerance)
    if weights == "unbiased":
        assert np.std(ratios) == pytest.approx(0.023, abs=0.005)
    if weights == "steps":
        assert np.max(ratios) == pytest.approx(1.0824, abs=0.002)


def test_unbiased_weights_are_published_ones():
    assert abs(STRAIGHT_PX - 0.948) < 0.0005
    assert abs(DIAGONAL_PX - 1.343) < 0.003


def test_unknown_weights_name_the_nearest():
    with pytest.raises(DefectKerasError, match="Did you mean 'unbiased'"):
        line_length_px(np.eye(4, 6, dtype=bool), "unbiassed")


@pytest.mark.parametrize("angle_deg", [0, 30, 90, 150])
def test_one_line(segment, angle_deg):
    mask = np.zeros((120, 160), bool)
    along = np.array([-np.sin(np.radians(angle_deg)), np.cos(np.radians(angle_deg))])
    segment(mask, (60, 80) - 40 * along, (60, 80) + 40 * along, 5)
    (row,) = measure_lines(mask, Calibration(0.5)).to_dict("records")
    assert row["length_px"] == pytest.approx(80, rel=0.07)
    assert row["length_nm"] == row["length_px"] / 2
    assert row["width_px"] == pytest.approx(5, abs=0.2)
    difference = (row["orientation_deg"] - angle_deg) % 180
    assert min(difference, 180 - difference) < 3
    assert (row["end_count"], row["crossing_count"]) == (2, 0)
    assert not row["touches_border"]


@pytest.mark.parametrize("width", [2, 3, 4, 6])
@pytest.mark.parametrize("angle_deg", [45, 134.5, 135])
def test_diagonal_lines_keep_their_length(segment, angle_deg, width):
    """Thinning can eat lines of an even number of diagonals from their ends."""
    angle = np.radians(angle_deg)
    along = 40 * np.array([-np.sin(angle), np.cos(angle)])
    for shift in np.random.default_rng(0).uniform(-0.5, 0.5, (5, 2)):
        mask = np.zeros((100, 120), bool)
        middle = np.add((50, 60), shift)
        segment(mask, middle - along, middle + along, width)
        (length,) = measure_lines(mask, Calibration())["length_px"]
        assert length == pytest.approx(80, rel=0.1)


def test_mean_orientation_is_axial(segment):
    """Lines at 10 and 170 degrees have the mean 0, not 90."""
    mask = np.zeros((120, 200), bool)
    for angle_deg in (10, 170):
        angle = np.radians(angle_deg)
        along = 60 * np.array([-np.sin(angle), np.cos(angle)])
        segment(mask, np.add((60, 100), -along), np.add((60, 100), along), 3)
    table = measure_lines(mask, Calibration())
    assert len(table) == 1
    assert min(table["orientation_deg"][0], 180 - table["orientation_deg"][0]) < 3


def test_crossing_lines_are_one_row_with_a_crossing(segment):
    mask = np.zeros((100, 140), bool)
    segment(mask, (20, 30), (80, 110), 5)
    segment(mask, (80, 30), (20, 110), 5)
    table = measure_lines(mask, Calibration())
    assert table["crossing_count"].tolist() == [1]
    assert table["end_count"].tolist() == [4]


def test_border_contact_and_no_line(segment):
    mask = np.zeros((60, 90), bool)
    assert len(measure_lines(mask, Calibration(1.0))) == 0
    segment(mask, (-5, 20), (40, 50), 5)
    segment(mask, (30, 70), (50, 80), 5)
    assert measure_lines(mask, Calibration())["touches_border"].tolist() == [
        True,
        False,
    ]


def test_a_dot_has_no_length():
    mask = np.zeros((20, 30), bool)
    mask[9, 14] = True
    table = measure_lines(mask, Calibration())
    assert table["length_px"].tolist() == [0.0]
    assert not table.isna().any(axis=None)
