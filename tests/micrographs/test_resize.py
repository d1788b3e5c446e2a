import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import CalibrationError, MicrographError
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.resize import (
    resize_class_map,
    resize_image,
    resize_probability_map,
    resize_to_pixel_size,
)

SIDES = st.integers(1, 40)


def test_shrinking_by_a_whole_number_averages_blocks(rng):
    image = rng.random((12, 20), dtype=np.float32)

    expected = image.reshape(4, 3, 5, 4).mean(axis=(1, 3))

    np.testing.assert_allclose(resize_image(image, (4, 5)), expected, atol=1e-6)


@settings(deadline=None)
@given(SIDES, SIDES)
def test_shrinking_keeps_the_mean(height, width):
    image = np.random.default_rng(1).random((41, 43), dtype=np.float32)

    small = resize_image(image, (height, width))

    assert small.shape == (height, width)
    assert small.mean() == pytest.approx(image.mean(), abs=1e-4)


@settings(deadline=None)
@given(SIDES, SIDES, SIDES, SIDES)
def test_range_is_never_left(old_height, old_width, height, width):
    image = np.random.default_rng(2).random((old_height, old_width), dtype=np.float32)

    resized = resize_image(image, (height, width))

    assert resized.shape == (height, width)
    assert resized.dtype == np.float32
    assert resized.min() >= image.min() - 1e-5
    assert resized.max() <= image.max() + 1e-5


def test_growing_interpolates_between_pixel_centers(rng):
    image = rng.random((5, 7), dtype=np.float32)
    rows = (np.arange(15) + 0.5) / 3 - 0.5
    columns = (np.arange(14) + 0.5) / 2 - 0.5
    grid = np.meshgrid(rows, columns, indexing="ij")

    expected = ndimage.map_coordinates(image, grid, order=1, mode="nearest")

    np.testing.assert_allclose(resize_image(image, (15, 14)), expected, atol=1e-5)


def test_one_axis_may_shrink_while_the_other_grows(rng):
    image = rng.random((12, 5), dtype=np.float32)

    resized = resize_image(image, (4, 10))

    blocks = image.reshape(4, 3, 5).mean(axis=1)
    np.testing.assert_allclose(resized, resize_image(blocks, (4, 10)), atol=1e-6)


def test_class_maps_get_no_new_classes():
    class_map = np.array([[-1, 4, 0], [2, 2, 7]], np.int32)

    resized = resize_class_map(class_map, (4, 9))

    assert resized.dtype == np.int32
    np.testing.assert_array_equal(resized, class_map.repeat(2, 0).repeat(3, 1))
    np.testing.assert_array_equal(resize_class_map(resized, (2, 3)), class_map)


@settings(deadline=None)
@given(SIDES, SIDES, SIDES, SIDES)
def test_class_maps_take_the_pixel_under_the_center(old_h, old_w, height, width):
    class_map = np.random.default_rng(3).integers(-1, 5, (old_h, old_w), dtype=np.int32)

    resized = resize_class_map(class_map, (height, width))

    rows = [
        min(int((r + 0.5) * old_h / height + 1e-9), old_h - 1) for r in range(height)
    ]
    columns = [
        min(int((c + 0.5) * old_w / width + 1e-9), old_w - 1) for c in range(width)
    ]
    np.testing.assert_array_equal(resized, class_map[rows][:, columns])


@pytest.mark.parametrize("shape", [(5, 9), (20, 33), (7, 30)])
@pytest.mark.parametrize("num_classes", [2, 7])
def test_probabilities_still_add_up_to_one(shape, num_classes, rng):
    maps = rng.dirichlet(np.ones(num_classes), (12, 17)).astype(np.float32)

    resized = resize_probability_map(maps, shape)

    assert resized.shape == (*shape, num_classes)
    np.testing.assert_allclose(resized.sum(axis=-1), 1, atol=1e-5)
    np.testing.assert_array_equal(resized[..., 1], resize_image(maps[..., 1], shape))


def micrograph(shape, size_nm):
    calibration = Calibration(size_nm, 100.0, "file tag 34682", "user")
    return Micrograph(
        np.random.default_rng(0).random(shape), calibration, "a", {"kV": 200}
    )


def test_resampling_keeps_the_field_of_view():
    old = micrograph((40, 60), 0.5)

    new = resize_to_pixel_size(old, 1.25)

    assert new.shape == (16, 24)
    assert new.calibration.field_of_view_nm(new.shape) == (20.0, 30.0)
    assert new.calibration.pixel_size_source == "resampled from 0.5 nm (file tag 34682)"
    assert new.calibration.foil_thickness_nm == 100.0
    assert (new.name, new.metadata) == ("a", {"kV": 200})


def test_resampling_leaves_at_least_one_pixel():
    assert resize_to_pixel_size(micrograph((4, 60), 1.0), 30.0).shape == (1, 2)


def test_resampling_needs_a_pixel_size():
    with pytest.raises(CalibrationError, match="--pixel-size-nm"):
        resize_to_pixel_size(micrograph((4, 6), None), 1.0)
    with pytest.raises(CalibrationError, match="above 0"):
        resize_to_pixel_size(micrograph((4, 6), 1.0), 0.0)


def test_resampling_has_a_limit():
    with pytest.raises(MicrographError, match="at most"):
        resize_to_pixel_size(micrograph((4, 6), 1.0), 1e-4)


@pytest.mark.parametrize("resize", [resize_image, resize_class_map])
def test_a_shape_without_pixels_is_a_slip(resize):
    with pytest.raises(ValueError, match="shape"):
        resize(np.zeros((2, 3), np.int32), (0, 3))
