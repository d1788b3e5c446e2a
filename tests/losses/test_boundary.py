"""Boundary loss against worked values and SciPy's distances."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import distance_transform_edt

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.losses import Boundary
from defectkeras.losses.boundary import signed_distance_maps


def test_square_of_the_paper():
    square = np.zeros((1, 5, 5), int)
    square[0, 1:4, 1:4] = 1
    truth, known = square[..., None].astype("float32"), np.ones((1, 5, 5), "float32")
    phi = signed_distance_maps(truth, known)[0, ..., 0].numpy()
    root = np.sqrt(2)
    np.testing.assert_allclose(phi[0], [root, 1, 1, 1, root])
    np.testing.assert_allclose(phi[1:4, 1:4], [[0, 0, 0], [0, -1, 0], [0, 0, 0]])
    mask = np.where(square, 99.0, -99.0)[..., None]
    for logits, expected in ((0 * mask, 0.3331371), (mask, -0.04), (-mask, 0.7062742)):
        value = float(Boundary()(square, logits))
        assert value == pytest.approx(expected, abs=5e-7)


def slow_phi(truth, known):
    to_class = distance_transform_edt(~truth)
    to_others = distance_transform_edt(truth | ~known)
    inside = np.maximum(to_others - 1, 0)
    return to_class - inside if truth.any() and (known & ~truth).any() else 0 * inside


@pytest.mark.parametrize("shape", [(3, 23, 40), (2, 31, 17)])
@pytest.mark.parametrize("density", [0.01, 0.2, 0.9])
def test_distances_are_those_of_scipy(shape, density):
    rng = np.random.default_rng(int(100 * density))
    known = rng.uniform(size=shape) > 0.2
    truth = (rng.uniform(size=shape) < density) & known
    truth[0] = False  # nowhere
    result = signed_distance_maps(
        truth[..., None].astype("float32"), known.astype("float32")
    )
    expected = np.stack([slow_phi(t, k) for t, k in zip(truth, known, strict=True)])
    np.testing.assert_allclose(result[..., 0], expected, rtol=1e-6)


@pytest.mark.parametrize("num_classes", [1, 2, 4])
def test_equals_slow_means(random_batch, probabilities, num_classes):
    class_map, logits = random_batch(0, num_classes, (2, 9, 14))
    p, known = probabilities(logits), class_map != NOT_ANNOTATED
    losses = []
    for k in range(1, p.shape[-1]):
        phi = [slow_phi(c == k, a) for c, a in zip(class_map, known, strict=True)]
        losses.append((p[..., k] * phi)[known].mean())
    value = float(Boundary()(class_map, logits))
    assert value == pytest.approx(np.mean(losses), rel=1e-4, abs=1e-6)


def test_no_boundary_gives_zero():
    logits = np.random.default_rng(0).normal(size=(1, 4, 6, 1))
    for everywhere in (0, 1):
        class_map = np.full((1, 4, 6), everywhere)
        assert float(Boundary()(class_map, logits)) == 0.0


def test_distances_in_an_input_pipeline():
    """They are plain TensorFlow, so `tf.data` may compute them too."""
    class_map = np.zeros((2, 6, 9), np.float32)
    class_map[0, 2, 3] = class_map[1, 5, 8] = 1
    maps = tf.data.Dataset.from_tensor_slices(class_map).batch(1)
    maps = maps.map(lambda m: signed_distance_maps(m[..., None], tf.ones_like(m)))
    corners = [float(phi[0, 0, 0, 0]) for phi in maps]
    assert corners == pytest.approx([np.hypot(2, 3), np.hypot(5, 8)])
