import numpy as np
import pytest

from defectkeras.quantification.orientations import axial_statistics, orientation_rose


def test_worked_value():
    found = axial_statistics(np.array([10.0, 20.0, 170.0, 175.0]))
    assert found.mean_deg == pytest.approx(3.68, abs=0.005)
    assert found.alignment == pytest.approx(0.9151, abs=5e-5)


def test_a_half_turn_makes_no_difference():
    angles, weights = np.array([10.0, 40.0, 130.0]), np.array([1.0, 3.0, 0.5])
    one, other = (axial_statistics(angles + turn, weights) for turn in (0, 180))
    assert one.mean_deg == pytest.approx(other.mean_deg)
    assert one.p_value == pytest.approx(other.p_value)


def test_weights_count_by_their_shares():
    angles, weights = np.array([10.0, 40.0, 70.0]), np.array([1.0, 3.0, 2.0])
    found = axial_statistics(angles, weights)
    assert axial_statistics(angles, 7 * weights).p_value == pytest.approx(found.p_value)
    none = axial_statistics(np.append(angles, 99.0), np.append(weights, 0.0))
    assert none.p_value == pytest.approx(found.p_value)
    equal = axial_statistics(angles, np.full(3, 7.0))
    assert equal.p_value == pytest.approx(axial_statistics(angles).p_value)


def test_orientations_at_random_pass_the_test():
    rng = np.random.default_rng(0)
    values = [axial_statistics(rng.uniform(0, 180, 40)).p_value for _ in range(500)]
    assert np.mean(np.array(values) < 0.05) == pytest.approx(0.05, abs=0.03)
    assert axial_statistics(rng.normal(30, 10, 40)).p_value < 1e-6


def test_the_rose_adds_up():
    rose = orientation_rose(np.array([-5.0, 185.0, 90.0]), np.array([1.0, 2.0, 3.0]))
    assert len(rose) == 18
    assert rose["weight"].sum() == 6
    assert rose["fraction"].sum() == pytest.approx(1)
    assert rose["weight"].iloc[[0, 9, 17]].tolist() == [2, 3, 1]
    assert orientation_rose(np.zeros(0))["fraction"].sum() == 0
