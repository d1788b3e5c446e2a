import numpy as np
import pytest

from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.palette import class_colors
from defectkeras.metrics import ReliabilityCounts
from defectkeras.training.log_budget import PLOT_SIZE_PX
from defectkeras.training.plots import (
    draw_calibration,
    draw_confusion,
    draw_sizes,
    merge_bins,
)

SHAPE = (*PLOT_SIZE_PX, 3)


def has_color(picture, color):
    return bool((picture == np.asarray(color)).all(axis=-1).any())


def make_scheme(num_defects, kind="region"):
    defects = (DefectClass(k, f"kind {k}", kind) for k in range(1, num_defects + 1))
    return LabelScheme((DefectClass(0, "matrix", "matrix"), *defects))


def test_confusion_is_dark_where_pixels_are_right(scheme):
    picture = draw_confusion(np.array([[900, 0, 0], [0, 50, 0], [0, 0, 0]]), scheme)
    assert picture.shape == SHAPE
    assert has_color(picture, (8, 48, 107))  # all of a row
    assert has_color(picture, (247, 251, 255))  # nothing of it


def test_confusion_of_many_classes():
    scheme = make_scheme(15)
    counts = np.random.default_rng(0).integers(0, 99, (16, 16))
    assert draw_confusion(counts, scheme).shape == SHAPE


def test_calibration_has_a_curve_for_each_defect(scheme):
    pixels = np.full(100, 50)
    right = np.linspace(0, 50, 100).astype(int)
    sums = pixels * (np.arange(100) + 0.5) / 100
    empty = np.zeros(100, int)
    curves = {
        1: ReliabilityCounts(pixels, right, sums),
        2: ReliabilityCounts(empty, empty, empty.astype(float)),
    }
    picture = draw_calibration(curves, scheme)
    assert picture.shape == SHAPE
    for index in curves:
        assert has_color(picture, class_colors(scheme)[index])


def test_bins_merge():
    counts = ReliabilityCounts(np.arange(20), np.arange(20) // 2, np.arange(20.0))
    merged = merge_bins(counts, 5)
    assert merged.pixels.tolist() == [6, 22, 38, 54, 70]
    assert merged.expected_calibration_error <= counts.expected_calibration_error
    with pytest.raises(ValueError, match="reshape"):
        merge_bins(counts, 3)


@pytest.mark.parametrize("num_defects", [1, 2, 3, 6])
def test_sizes_of_some_regions(num_defects):
    scheme = make_scheme(num_defects)
    rng = np.random.default_rng(0)
    sizes = {
        c.index: [rng.uniform(1, 20, 30), rng.uniform(1, 20, 4)] for c in scheme.defects
    }
    nothing = {index: [np.zeros(0)] for index in sizes}
    assert draw_sizes(sizes, nothing, scheme).shape == SHAPE
    assert draw_sizes(nothing, nothing, scheme).shape == SHAPE


def test_sizes_without_regions_say_so():
    picture = draw_sizes({}, {}, make_scheme(2, kind="line"))
    assert picture.shape == SHAPE
    assert (picture < 100).any()
