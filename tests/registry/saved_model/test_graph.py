import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.prediction.postprocess import apply_thresholds, most_probable_class
from defectkeras.registry.saved_model.graph import (
    class_probabilities,
    classes_of,
    normalize_images,
    predict_padded,
)

LEVELS = st.integers(-(2**20), 2**20).map(lambda n: n / 16)
SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40))


def in_graph(images, low_percent=0.1, high_percent=99.9):
    normalized = normalize_images(
        tf.constant(images[..., np.newaxis]),
        low_percent=low_percent,
        high_percent=high_percent,
    )
    assert normalized.dtype == tf.float32
    return normalized.numpy()[..., 0]


@settings(deadline=None, max_examples=60)
@given(
    SHAPES.flatmap(lambda shape: hnp.arrays(np.float32, shape, elements=LEVELS)),
    st.sampled_from([(0.1, 99.9), (0.0, 100.0), (2.0, 50.0)]),
)
def test_equal_to_the_numpy_normalization(image, percents):
    low, high = percents
    expected = normalize_percentile(image, low_percent=low, high_percent=high)
    np.testing.assert_allclose(
        in_graph(image[np.newaxis], low, high)[0], expected, atol=1e-5
    )


@pytest.mark.parametrize(
    ("low", "high"), [(0, 255), (900, 65_535), (60_000, 60_010), (-1e-3, 1e-3)]
)
def test_equal_on_a_whole_micrograph_of_any_range(low, high):
    image = np.random.default_rng(3).uniform(low, high, (517, 301)).astype(np.float32)
    expected = normalize_percentile(image)
    assert 0.4 < expected.mean() < 0.6
    np.testing.assert_allclose(in_graph(image[np.newaxis])[0], expected, atol=1e-5)


@pytest.mark.parametrize("level", [0.0, -7.0, 65_535.0, 0.1])
def test_constant_image_becomes_zeros(level):
    image = np.full((1, 5, 9), level, np.float32)
    np.testing.assert_array_equal(in_graph(image), 0)
    np.testing.assert_array_equal(normalize_percentile(image[0]), 0)


def test_each_image_of_a_batch_has_its_own_percentiles():
    random = np.random.default_rng(4)
    images = random.normal(size=(3, 17, 23)).astype(np.float32)
    images *= np.float32([[[1]], [[100]], [[0]]])
    alone = [in_graph(image[np.newaxis])[0] for image in images]
    np.testing.assert_array_equal(in_graph(images), alone)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 5), (8, 16), (13, 30), (33, 7)])
@pytest.mark.parametrize("stride", [1, 8, 32])
def test_padding_is_that_of_numpy(shape, stride):
    image = np.random.default_rng(5).random((2, *shape, 1), dtype=np.float32)
    seen = []

    def predict(padded):
        seen.append(padded.numpy())
        return tf.concat([padded, 2 * padded], axis=-1)

    result = predict_padded(predict, tf.constant(image), stride=stride).numpy()
    missing = [(0, 0), *((0, -size % stride) for size in shape), (0, 0)]
    np.testing.assert_array_equal(seen[0], np.pad(image, missing, mode="symmetric"))
    np.testing.assert_array_equal(result, np.concatenate([image, 2 * image], axis=-1))


def test_probabilities_of_many_classes():
    logits = np.random.default_rng(6).normal(0, 20, (2, 3, 4, 5)).astype(np.float32)
    np.testing.assert_allclose(
        class_probabilities(tf.constant(logits)).numpy(),
        scipy.special.softmax(logits.astype(np.float64), axis=-1),
        atol=1e-6,
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_probabilities_of_one_logit(dtype):
    logits = tf.cast(np.linspace(-80, 80, 6).reshape((1, 2, 3, 1)), dtype)
    probabilities = class_probabilities(logits)
    assert probabilities.dtype == tf.float32
    defect = scipy.special.expit(tf.cast(logits, tf.float64).numpy()[..., 0])
    np.testing.assert_allclose(probabilities[..., 1], defect, atol=1e-6)
    np.testing.assert_allclose(probabilities[..., 0], 1 - defect, atol=1e-6)


@pytest.mark.parametrize("thresholds", [None, (0.5, 0.5), (0.2, 0.7), (1.0, 0.01)])
def test_classes_are_those_of_the_numpy_rule(thresholds):
    logits = np.random.default_rng(3).normal(size=(17, 31, 3)).astype(np.float32)
    probabilities = scipy.special.softmax(logits, axis=-1)
    if thresholds is None:
        expected = most_probable_class(probabilities)
    else:
        expected = apply_thresholds(probabilities, thresholds)
    found = classes_of(tf.constant(probabilities[np.newaxis]), thresholds)
    assert found.dtype == tf.uint8
    np.testing.assert_array_equal(found[0], expected)
