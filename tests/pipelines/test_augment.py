from dataclasses import replace

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from defectkeras.core.errors import TrainingError
from defectkeras.core.symmetries import VIEWS, transform
from defectkeras.pipelines.augment import (
    NO_AUGMENTATION,
    Augmentation,
    apply_symmetry,
    augment,
    blur,
    change_grey_levels,
)

ALL = Augmentation(inversion_probability=0.5, blur_probability=0.5)


@pytest.fixture
def image():
    rows, columns = np.indices((24, 24), np.float32)
    return (0.2 + 0.01 * rows + 0.015 * columns)[..., None].astype(np.float32)


@pytest.fixture
def class_map():
    class_map = np.zeros((24, 24), np.int32)
    class_map[2:6, 3:15] = 1
    class_map[10:, 20] = 2
    return class_map


def test_symmetries_are_the_eight_of_the_square(class_map):
    found = {
        apply_symmetry(tf.constant(class_map), k).numpy().tobytes() for k in range(8)
    }
    turned = [np.rot90(class_map, k) for k in range(4)]
    expected = {np.ascontiguousarray(a).tobytes() for t in turned for a in (t, t.T)}
    assert found == expected
    assert len(found) == 8


@pytest.mark.parametrize("symmetries", VIEWS)
def test_image_and_class_map_are_turned_together(class_map, symmetries):
    image = class_map[..., None].astype(np.float32) / 2
    only_turned = replace(NO_AUGMENTATION, symmetries=symmetries)
    seen = set()
    for number in range(60):
        patch, classes = augment(image, class_map, [number, 1], only_turned)
        np.testing.assert_array_equal(patch[..., 0] * 2, classes)
        seen.add(np.asarray(classes).tobytes())
    views = [transform(class_map[None, ..., None], k) for k in VIEWS[symmetries]]
    assert seen == {view.tobytes() for view in views}


def test_an_unknown_symmetry_is_told():
    with pytest.raises(TrainingError, match="Did you mean 'left-right'"):
        Augmentation(symmetries="left_right")


def test_class_map_is_never_interpolated(image, class_map):
    for number in range(10):
        _, classes = augment(image, class_map, [number, 1], ALL)
        assert classes.dtype == tf.int32
        np.testing.assert_array_equal(
            np.bincount(classes.numpy().ravel()), np.bincount(class_map.ravel())
        )


def test_no_augmentation_changes_nothing(image, class_map):
    patch, classes = augment(image, class_map, [3, 4], NO_AUGMENTATION)
    np.testing.assert_allclose(patch, image, atol=1e-6)
    np.testing.assert_array_equal(classes, class_map)


def test_result_is_a_function_of_the_seed(image, class_map):
    first = augment(image, class_map, [1, 2], ALL)[0].numpy()
    np.testing.assert_array_equal(first, augment(image, class_map, [1, 2], ALL)[0])
    assert (first != augment(image, class_map, [1, 3], ALL)[0].numpy()).any()


def test_grey_levels_stay_in_range(image, class_map):
    strong = replace(ALL, gain=1.0, offset=1.0, gamma=2.0, noise=1.0)
    for number in range(20):
        patch, _ = augment(image, class_map, [number, 1], strong)
        assert tf.reduce_min(patch) >= 0
        assert tf.reduce_max(patch) <= 1


def test_grey_levels_follow_their_formula(image):
    how = replace(NO_AUGMENTATION, gain=0.4, offset=0.2, gamma=0.5)
    seed = tf.constant([5, 6])
    u = tf.random.stateless_uniform((4,), seed, -1.0, 1.0).numpy()
    expected = image ** np.exp(0.5 * u[0])
    mean = expected.mean()
    expected = mean + (1 + 0.4 * u[1]) * (expected - mean) + 0.2 * u[2]
    np.testing.assert_allclose(
        change_grey_levels(image, seed, how), expected, atol=1e-5
    )


@pytest.mark.parametrize(("probability", "inverted"), [(0.0, False), (1.0, True)])
def test_inversion_exchanges_bright_and_dark(image, probability, inverted):
    how = replace(NO_AUGMENTATION, inversion_probability=probability)
    for number in range(10):
        patch = change_grey_levels(image, [number, 0], how)
        np.testing.assert_allclose(patch, 1 - image if inverted else image, atol=1e-6)


def test_inversion_is_off_by_default():
    assert Augmentation().inversion_probability == 0


@pytest.mark.parametrize("sigma_px", [0.4, 0.8, 1.0])
def test_blur_agrees_with_scipy(sigma_px):
    image = np.random.default_rng(0).uniform(size=(20, 31)).astype(np.float32)
    expected = scipy.ndimage.gaussian_filter(image, sigma_px, mode="reflect", radius=3)
    result = blur(tf.constant(image[..., None]), sigma_px)[..., 0]
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_blur_of_zero_changes_nothing(image):
    np.testing.assert_allclose(blur(image, 0.0), image, atol=1e-6)


def test_noise_has_the_stated_size(class_map):
    grey = np.full((24, 24, 1), 0.5, np.float32)
    how = replace(NO_AUGMENTATION, noise=0.1)
    spreads = [
        np.std(augment(grey, class_map, [number, 1], how)[0]) for number in range(100)
    ]
    assert np.mean(spreads) == pytest.approx(0.05, abs=0.012)  # uniform up to 0.1
    assert max(spreads) < 0.115


@pytest.mark.parametrize(
    "wrong",
    [
        {"gain": 1.5},
        {"offset": -0.1},
        {"gamma": 3.0},
        {"noise": -1.0},
        {"blur_px": 9.0},
        {"blur_probability": 2.0},
        {"inversion_probability": float("nan")},
        {"scale_range": (1.2, 0.8)},
        {"scale_range": (0.0, 1.0)},
    ],
)
def test_wrong_ranges_are_errors(wrong):
    with pytest.raises(TrainingError, match=next(iter(wrong))):
        Augmentation(**wrong)
