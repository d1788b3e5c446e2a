import numpy as np
import pytest

from defectkeras.quantification.kappa import cohen_kappa, fleiss_kappa

# Fleiss 1971 in the form of many text books: 10 subjects, 14 raters, 5 classes.
VOTES = np.array([
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1], [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
])  # fmt: skip


def test_published_kappa_of_fleiss():
    by_subject = [np.repeat(np.arange(5), votes) for votes in VOTES]
    class_maps = [
        np.array(m, np.int32).reshape(2, 5) for m in zip(*by_subject, strict=True)
    ]

    assert fleiss_kappa(class_maps, 5) == pytest.approx(0.210, abs=5e-4)


def test_published_kappa_of_cohen():
    assert cohen_kappa(np.array([[45, 15], [25, 15]])) == pytest.approx(
        0.1304, abs=1e-4
    )
    assert cohen_kappa(np.array([[25, 35], [5, 35]])) == pytest.approx(0.2593, abs=1e-4)


def test_equal_and_opposite_annotators():
    first = np.array([[0, 1, 1, 2], [0, 0, 2, 1]], np.int32)

    assert fleiss_kappa([first, first, first], 3) == 1
    assert cohen_kappa(np.diag([4, 2, 9])) == 1
    assert cohen_kappa(np.array([[0, 5], [5, 0]])) == -1


def test_unannotated_pixels_are_left_out():
    first = np.array([[0, 1, -1, 0, 1]], np.int32)
    second = np.array([[0, 1, 1, -1, 0]], np.int32)

    short = [m[:, [0, 1, 4]] for m in (first, second)]
    assert fleiss_kappa([first, second], 2) == fleiss_kappa(short, 2)


def test_without_pixels_or_with_one_class_there_is_none():
    blank = np.zeros((3, 4), np.int32)
    assert fleiss_kappa([blank, blank], 2) is None
    assert fleiss_kappa([blank - 1, blank], 2) is None
    assert fleiss_kappa([blank], 2) is None
    assert cohen_kappa(np.zeros((2, 2), int)) is None
    assert cohen_kappa(np.array([[12, 0], [0, 0]])) is None
