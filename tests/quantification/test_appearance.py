import numpy as np
import pytest

from defectkeras.quantification.appearance import (
    MARGIN_PX,
    appearance_columns,
    sum_appearance,
)
from defectkeras.quantification.runs import Runs, find_runs


def measure_appearance(label_map, **maps):
    runs = find_runs(label_map)
    return appearance_columns(runs, sum_appearance(label_map, runs, **maps))


def test_contrast_is_against_the_matrix_around_each_object(disc):
    label_map = np.zeros((60, 90), np.int32)
    disc(label_map, 30, 25, 14, value=1)
    disc(label_map, 30, 65, 14, value=2)
    image = np.full(label_map.shape, 10.0, np.float32)
    image[:, 45:] = 40.0  # a bend contour
    image[label_map > 0] += 5.0
    found = measure_appearance(label_map, image=image)
    assert found["mean_grey_level"].tolist() == [15.0, 45.0]
    assert found["contrast"] == pytest.approx([5.0, 5.0])


def test_other_classes_are_no_background(disc):
    label_map = np.zeros((60, 90), np.int32)
    disc(label_map, 30, 40, 14)
    image = np.zeros(label_map.shape, np.float32)
    image[:, 50:] = 99.0
    background = image == 0
    found = measure_appearance(label_map, image=image, background=background)
    assert found["contrast"].tolist() == [0.0]
    none = measure_appearance(label_map, image=image, background=image > 100)
    assert np.isnan(none["contrast"]).all()


def test_confidence_and_uncertainty_are_means():
    label_map = np.array([[0, 3, 3, 0], [0, 0, 3, 7]], np.int32)
    probability = np.array([[0, 0.5, 0.7, 0], [0, 0, 0.9, 1]], np.float32)
    found = measure_appearance(
        label_map, probability=probability,
        uncertainty=1 - probability,
    )  # fmt: skip
    assert found["confidence"] == pytest.approx([0.7, 1.0])
    assert found["uncertainty"] == pytest.approx([0.3, 0.0], abs=1e-6)
    assert set(found) == {"confidence", "uncertainty"}


def test_nothing_given_nothing_measured():
    label_map = np.zeros((3, 5), np.int32)
    assert measure_appearance(label_map) == {}
    image = np.zeros((3, 5), np.float32)
    found = measure_appearance(label_map, image=image)
    assert len(found["contrast"]) == 0


def test_a_part_of_the_rows_gives_the_same_sums(disc):
    rng = np.random.default_rng(0)
    label_map = np.zeros((120, 70), np.int32)
    for number in range(1, 40):
        disc(label_map, rng.integers(120), rng.integers(70), 9, value=number)
    image = rng.random(label_map.shape, np.float32)
    whole = sum_appearance(label_map, find_runs(label_map), image=image)
    runs = find_runs(label_map)
    some = (runs.row >= 50) & (runs.row < 70)
    window = slice(50 - MARGIN_PX, 70 + MARGIN_PX)
    cut = Runs(
        np.zeros(some.sum(), np.int64),
        runs.row[some],
        runs.first[some],
        runs.last[some],
        np.ones(1, np.int64),
    )
    found = sum_appearance(
        label_map[window], cut, image=image[window], first_row=window.start
    )
    for name, sums in whole.items():
        np.testing.assert_array_equal(found[name], sums[some])
