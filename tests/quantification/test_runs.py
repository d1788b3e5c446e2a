import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from defectkeras.quantification.runs import components, find_runs


@settings(deadline=None)
@given(arrays(np.int32, (5, 8), elements=st.integers(0, 3)))
def test_runs_cover_each_object_once(label_map):
    runs = find_runs(label_map)
    drawn = np.zeros_like(label_map)
    for index, row, first, last in zip(
        runs.index, runs.row, runs.first, runs.last, strict=True
    ):
        assert (drawn[row, first : last + 1] == 0).all()
        drawn[row, first : last + 1] = runs.labels[index]
    np.testing.assert_array_equal(drawn, label_map)


@settings(deadline=None)
@given(arrays(np.int32, (4, 7), elements=st.integers(0, 2)))
def test_sums_of_run_lengths_are_areas(label_map):
    runs = find_runs(label_map)
    labels, areas = np.unique(label_map[label_map > 0], return_counts=True)
    np.testing.assert_array_equal(runs.labels, labels)
    np.testing.assert_array_equal(runs.sum(runs.last - runs.first + 1.0), areas)


def test_a_run_ends_with_its_row():
    runs = find_runs(np.array([[0, 4, 4], [4, 0, 0]], np.int32))
    assert runs.row.tolist() == [0, 1]
    assert runs.starts.tolist() == [0]


def test_no_object_no_runs():
    runs = find_runs(np.zeros((3, 5), np.int32))
    assert len(runs.labels) == len(runs.row) == 0


def test_a_pair_may_come_many_times():
    first, second = np.full(256, 0), np.full(256, 2)
    assert components(first, second, 4).tolist() == [0, 1, 0, 2]
