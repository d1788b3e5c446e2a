"""Each fault of an instrument: its size, its seed, and classes that stay classes."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from defectkeras.pipelines.augment import NO_AUGMENTATION, Augmentation, augment
from defectkeras.pipelines.instrument import (
    add_gradient,
    add_shot_noise,
    jitter_lines,
    warp,
)

SIDE = 64
FAULTS = {
    "poisson": 0.02,
    "scan_jitter_px": 2.0,
    "charging": 0.3,
    "elastic_px": 2.0,
}


@pytest.fixture
def class_map():
    class_map = np.zeros((SIDE, SIDE), np.int32)
    class_map[5:20, 8:40] = 1
    class_map[:, 50:53] = 3
    return class_map


@pytest.fixture
def image(class_map):
    return (0.2 + 0.2 * class_map[..., None]).astype(np.float32)


@pytest.mark.parametrize("name", FAULTS)
def test_each_is_off_by_default_and_follows_its_seed(name, image, class_map):
    assert getattr(Augmentation(), name) == 0
    how = replace(NO_AUGMENTATION, **{name: FAULTS[name]})
    first, classes = augment(image, class_map, [1, 2], how)
    again = augment(image, class_map, [1, 2], how)
    np.testing.assert_array_equal(first, again[0])
    np.testing.assert_array_equal(classes, again[1])
    assert (first.numpy() != augment(image, class_map, [1, 3], how)[0].numpy()).any()
    assert (first.numpy() != image).any()
    assert set(np.unique(classes)) == {0, 1, 3}  # never a 2 between 1 and 3
    if name in ("poisson", "charging"):
        np.testing.assert_array_equal(classes, class_map)


def test_shot_noise_grows_with_the_square_root_of_the_grey_level():
    ratios = []
    for number in range(20):
        image = np.full((SIDE, SIDE, 1), 0.2, np.float32)
        image[SIDE // 2 :] = 0.8
        noise = add_shot_noise(image, [number, 0], 0.02).numpy() - image
        ratios.append(noise[SIDE // 2 :].std() / noise[: SIDE // 2].std())
    assert np.mean(ratios) == pytest.approx(2.0, rel=0.05)


def test_gradient_is_a_plane_of_the_stated_size():
    grey = np.full((SIDE, SIDE, 1), 0.5, np.float32)
    sizes = []
    for number in range(50):
        patch = add_gradient(tf.constant(grey), [number, 0], 0.3).numpy()[..., 0]
        assert patch.mean() == pytest.approx(0.5, abs=1e-5)
        np.testing.assert_allclose(np.diff(patch, n=2, axis=0), 0, atol=1e-5)
        rows = patch[-1, 0] - patch[0, 0]
        columns = patch[0, -1] - patch[0, 0]
        sizes.append(np.hypot(rows, columns))
    assert 0.2 < max(sizes) <= 0.3001


def test_lines_move_with_their_classes(image, class_map):
    patch, classes = jitter_lines(tf.constant(image), class_map, [4, 1], 2.0)
    np.testing.assert_allclose(patch[..., 0], 0.2 + 0.2 * classes.numpy(), atol=1e-6)
    starts = classes.numpy()[:, 45:60].argmax(axis=1)
    assert len(set(starts)) > 1


def test_warped_image_agrees_with_scipy(class_map):
    rows, columns = np.indices((SIDE, SIDE)).astype(np.float32)
    where = tf.constant(np.stack([rows, columns], -1)[..., :1])
    seed = {"largest_px": 2.0, "scale_px": 16.0}
    moved_rows, _ = warp(where, class_map, [6, 1], **seed)
    other = tf.constant(columns[..., None])
    moved_columns, classes = warp(other, class_map, [6, 1], **seed)
    places = [moved_rows.numpy()[..., 0], moved_columns.numpy()[..., 0]]
    assert 0.3 < np.abs(places[0] - rows).max() < 6
    noise = np.random.default_rng(0).uniform(size=(SIDE, SIDE)).astype(np.float32)
    expected = scipy.ndimage.map_coordinates(noise, places, order=1)
    patch, _ = warp(tf.constant(noise[..., None]), class_map, [6, 1], **seed)
    np.testing.assert_allclose(patch[..., 0], expected, atol=1e-4)
    nearest = class_map[tuple(np.rint(p).astype(int) for p in places)]
    assert (nearest == classes.numpy()).mean() > 0.999
