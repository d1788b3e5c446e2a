import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.objects import label_objects
from defectkeras.quantification.segments import local_orientations, measure_segments
from defectkeras.quantification.skeletons import trace_lines


def measure(mask, calibration=None):
    return measure_segments(
        trace_lines(mask), label_objects(mask), calibration or Calibration()
    )


def test_a_cross_loses_no_length(segment):
    mask = np.zeros((200, 260), bool)
    segment(mask, (100, 20), (100, 240), 5)
    segment(mask, (30, 60), (170, 200), 5)
    segments, lines = measure(mask)
    assert len(segments) == 4
    assert sorted(lines["segment_count"]) == [2, 2]
    true_px = 220 + 140 * np.sqrt(2)
    assert lines["length_px"].sum() == pytest.approx(true_px, rel=0.06)
    assert set(segments["start_kind"]) | set(segments["stop_kind"]) == {
        "end", "junction",
    }  # fmt: skip
    np.testing.assert_allclose(lines["tortuosity"], 1, atol=0.02)
    np.testing.assert_allclose(np.sort(lines["orientation_deg"]), [0, 135], atol=2)


def test_tortuosity_of_a_half_circle(segment):
    rows, columns = np.ogrid[:90, :140]
    radius = np.hypot(rows - 70, columns - 70)
    mask = (radius > 48) & (radius < 53) & (rows < 70)
    for column in (19.5, 120.5):  # round ends
        segment(mask, (70, column), (70, column), 5)
    _, lines = measure(mask)
    assert lines["tortuosity"].tolist() == pytest.approx([np.pi / 2], rel=0.02)
    assert lines["alignment"][0] < 0.1


def test_a_ring_has_no_tortuosity():
    rows, columns = np.ogrid[:60, :80]
    radius = np.hypot(rows - 30, columns - 40)
    _, lines = measure((radius > 17) & (radius < 22))
    assert np.isnan(lines["tortuosity"]).all()
    assert lines["length_px"].tolist() == pytest.approx([2 * np.pi * 19.5], rel=0.03)


def test_ends_at_the_border_and_units(segment):
    mask = np.zeros((80, 120), bool)
    segment(mask, (40, -10), (40, 70), 4)
    segments, lines = measure(mask, Calibration(0.5))
    assert {segments["start_kind"][0], segments["stop_kind"][0]} == {"border", "end"}
    assert lines["touches_border"].tolist() == [True]
    np.testing.assert_allclose(lines["length_nm"], lines["length_px"] / 2)


def test_no_line_keeps_the_columns():
    segments, lines = measure(np.zeros((20, 30), bool))
    assert len(segments) == len(lines) == 0
    assert "tortuosity" in segments
    assert "touches_border" in lines


def test_local_orientations_follow_a_bend():
    pixels = np.array([[0, c] for c in range(17)] + [[-r, 16] for r in range(1, 17)])
    angles, lengths = local_orientations(np.arange(len(pixels)), pixels)
    np.testing.assert_allclose(np.degrees(angles), [0, 0, 90, 90], atol=1e-9)
    assert lengths.sum() == 32
