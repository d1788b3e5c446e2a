import numpy as np
import pytest
from skimage.measure import label, regionprops
from sklearn.metrics import precision_score, recall_score

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.training.details import (
    Details,
    normalized_entropy,
    object_diameters_px,
    precision_recall,
)


@pytest.fixture
def maps():
    """Give an annotation (H, W) and probabilities (H, W, 3) that follow it badly."""
    rng = np.random.default_rng(0)
    annotation = rng.choice(
        [NOT_ANNOTATED, 0, 1, 2], size=(40, 56), p=[0.1, 0.6, 0.2, 0.1]
    )
    truth = np.eye(3)[np.maximum(annotation, 0)]
    p = 0.7 * rng.dirichlet([1, 1, 1], annotation.shape) + 0.3 * truth
    return annotation.astype(np.int32), p.astype(np.float32)


def gather(scheme, annotation, p, tiles):
    details = Details(scheme, shown=[0])
    for where in tiles:
        details.add_tile(annotation, where, p[where])
    image = np.zeros(annotation.shape, np.float32)
    prediction = p.argmax(axis=-1).astype(np.int32)
    details.add_micrograph(0, "a", image, annotation, prediction)
    details.add_micrograph(1, "b", image, annotation, prediction)  # not shown
    return details


def test_tiles_change_nothing(scheme, maps):
    annotation, p = maps
    whole = gather(scheme, annotation, p, [np.s_[:, :]])
    tiled = gather(
        scheme, annotation, p, [np.s_[:24, :32], np.s_[:24, 32:], np.s_[24:, :]]
    )
    for index in (1, 2):
        np.testing.assert_array_equal(
            whole.reliability[index].right, tiled.reliability[index].right
        )
        assert whole.reliability[index].pixels.sum() == (annotation >= 0).sum()
    (field,), (other,) = whole.fields, tiled.fields
    np.testing.assert_array_equal(field.uncertainty, other.uncertainty)
    assert field.name == "a"


def test_curve_is_that_of_scikit_learn(scheme, maps):
    annotation, p = maps
    details = gather(scheme, annotation, p, [np.s_[:, :]])
    seen = annotation != NOT_ANNOTATED
    truth, values = annotation[seen] == 1, p[..., 1][seen].astype(np.float64)
    curve = precision_recall(details.reliability[1])
    assert curve.shape == (6, 101)
    np.testing.assert_array_equal(curve[:4].sum(axis=0), seen.sum())
    for column in (0, 10, 35, 50, 80, 100):
        called = values > column / 100
        hits, false, rest, misses, precision, recall = curve[:, column]
        assert (hits, false) == ((called & truth).sum(), (called & ~truth).sum())
        assert (rest, misses) == ((~called & ~truth).sum(), (~called & truth).sum())
        assert precision == pytest.approx(
            precision_score(truth, called, zero_division=1.0)
        )
        assert recall == pytest.approx(recall_score(truth, called))


def test_curve_of_a_class_that_is_nowhere(scheme):
    annotation = np.zeros((4, 6), np.int32)
    p = np.zeros((4, 6, 3), np.float32)
    p[..., 0] = 1
    curve = precision_recall(
        gather(scheme, annotation, p, [np.s_[:, :]]).reliability[2]
    )
    assert np.isfinite(curve).all()
    assert not curve[5].any()


def test_sizes_are_those_of_regions_alone(scheme):
    annotation = np.zeros((30, 44), np.int32)
    annotation[3:8, 4:10] = annotation[20:22, 30:33] = 1
    annotation[:, 20] = 2
    annotation[:, 40:] = NOT_ANNOTATED
    prediction = np.zeros_like(annotation)
    prediction[3:8, 4:11] = prediction[2:9, 41:] = 1  # the second where none can tell
    details = Details(scheme, shown=[])
    image = np.zeros(annotation.shape, np.float32)
    details.add_micrograph(0, "a", image, annotation, prediction)
    assert list(details.annotated_px) == [1]
    expected = 2 * np.sqrt(np.array([30, 6]) / np.pi)
    np.testing.assert_allclose(details.annotated_px[1][0], expected)
    np.testing.assert_allclose(details.predicted_px[1][0], 2 * np.sqrt(35 / np.pi))
    assert details.fields == []


def test_diameters_are_those_of_scikit_image():
    mask = np.random.default_rng(2).uniform(size=(50, 70)) > 0.6
    expected = [r.equivalent_diameter_area for r in regionprops(label(mask))]
    np.testing.assert_allclose(sorted(object_diameters_px(mask)), sorted(expected))
    assert object_diameters_px(np.zeros((3, 5), bool)).shape == (0,)


def test_entropy_of_certain_and_of_equal_classes():
    p = np.array([[[1, 0, 0], [0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]]], np.float32)
    expected = [[0, np.log(2) / np.log(3), 1]]
    np.testing.assert_allclose(normalized_entropy(p), expected, atol=1e-6)
