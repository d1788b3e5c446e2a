import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.annotations.maps import (
    read_class_map,
    read_label_map,
    write_class_map,
    write_label_map,
)

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 7))
CLASSES = np.array([[0, 1, 2, 255], [2, 0, 0, 1]], np.uint8)
ROUND_TRIP = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def png(path, values, **how):
    Image.fromarray(values, **how).save(path)
    return path


@ROUND_TRIP
@given(arrays(np.int32, SHAPES, elements=st.integers(NOT_ANNOTATED, 254)))
def test_class_maps_are_read_back(tmp_path, class_map):
    write_class_map(class_map, tmp_path / "a.png")

    read = read_class_map(tmp_path / "a.png", num_classes=255)

    assert read.dtype == np.int32
    np.testing.assert_array_equal(read, class_map)


@ROUND_TRIP
@given(
    arrays(np.int32, SHAPES, elements=st.integers(0, 65_535)),
    st.sampled_from(["a.png", "a.tif"]),
)
def test_label_maps_are_read_back(tmp_path, label_map, name):
    write_label_map(label_map, tmp_path / name)

    read = read_label_map(tmp_path / name)

    assert read.dtype == np.int32
    np.testing.assert_array_equal(read, label_map)


def test_many_objects_go_to_a_tiff(tmp_path):
    label_map = np.array([[0, 65_536, 2**31 - 1]], np.int32)

    with pytest.raises(ValueError, match=r"Write a \.tif"):
        write_label_map(label_map, tmp_path / "a.png")
    write_label_map(label_map, tmp_path / "a.tif")
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.tif"), label_map)


@pytest.mark.parametrize("low", [-2, 255])
def test_class_maps_that_do_not_fit_are_not_written(tmp_path, low):
    with pytest.raises(ValueError, match="class_map"):
        write_class_map(np.full((2, 3), low, np.int32), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("write", "name"), [(write_class_map, "a.tif"), (write_label_map, "a.jpg")]
)
def test_other_suffixes_are_not_written(tmp_path, write, name):
    with pytest.raises(ValueError, match="must end on"):
        write(np.zeros((2, 3), np.int32), tmp_path / name)


def test_class_indices_of_another_program(tmp_path):
    png(tmp_path / "a.png", CLASSES)
    tifffile.imwrite(tmp_path / "a.tif", CLASSES.astype(np.float32))

    for name in ("a.png", "a.tif"):
        read = read_class_map(tmp_path / name, num_classes=3)
        np.testing.assert_array_equal(read, [[0, 1, 2, -1], [2, 0, 0, 1]])


def test_a_palette_is_only_decoration(tmp_path):
    image = Image.fromarray(CLASSES, mode="P")
    image.putpalette(list(range(256)) * 3)
    image.save(tmp_path / "a.png")

    read = read_class_map(tmp_path / "a.png", num_classes=3)

    np.testing.assert_array_equal(read, [[0, 1, 2, -1], [2, 0, 0, 1]])


def test_a_grey_rgb_mask_is_accepted_and_color_is_not(tmp_path):
    png(tmp_path / "grey.png", np.stack([CLASSES] * 3, axis=-1))
    png(tmp_path / "color.png", np.stack([CLASSES, CLASSES, CLASSES * 2], axis=-1))

    read = read_class_map(tmp_path / "grey.png", num_classes=3)
    np.testing.assert_array_equal(read, [[0, 1, 2, -1], [2, 0, 0, 1]])
    with pytest.raises(MicrographError, match=r'#010102 \(2 pixels\).*"colors"'):
        read_class_map(tmp_path / "color.png", num_classes=3)


@pytest.mark.parametrize("values", [[[0, 255, 0]], [[255, 255, 255]]])
def test_a_binary_mask_read_as_class_indices_is_an_error(tmp_path, values):
    path = png(tmp_path / "a.png", np.array(values, np.uint8))

    with pytest.raises(MicrographError, match='Did you mean encoding = "binary"'):
        read_class_map(path, num_classes=2)


def test_strange_class_indices_are_listed(tmp_path):
    path = png(tmp_path / "a.png", np.array([[0, 3, 7, 255]], np.uint8))

    with pytest.raises(MicrographError, match=r"from 0 to 2.*Received: 3, 7"):
        read_class_map(path, num_classes=3)


@pytest.mark.parametrize("high", [1, 255, 65535])
def test_binary_masks(tmp_path, high):
    values = np.array([[0, high, 0], [high, high, 0]], np.min_scalar_type(high))
    path = png(tmp_path / "a.png", values)

    read = read_class_map(path, num_classes=4, encoding="binary", object_class=3)

    np.testing.assert_array_equal(read, [[0, 3, 0], [3, 3, 0]])


def test_bilevel_masks_are_binary(tmp_path):
    path = png(tmp_path / "a.png", np.array([[False, True, True]]))

    read = read_class_map(path, num_classes=2, encoding="binary")

    np.testing.assert_array_equal(read, [[0, 1, 1]])


@pytest.mark.parametrize("values", [[[0, 128, 255]], [[0, 1, 255]], [[1, 255, 255]]])
def test_other_values_are_no_binary_mask(tmp_path, values):
    path = png(tmp_path / "a.png", np.array(values, np.uint8))

    with pytest.raises(MicrographError, match="two values"):
        read_class_map(path, num_classes=2, encoding="binary")


@pytest.mark.parametrize("high", [1, 255, 65535])
def test_a_mask_holds_no_object_numbers(tmp_path, high):
    values = np.array([[high, 0, high], [0, 0, high]], np.min_scalar_type(high))
    path = png(tmp_path / "a.png", values)

    with pytest.raises(MicrographError, match=r"places apart.*\"binary\""):
        read_class_map(path, num_classes=2, encoding="objects")
    one = png(tmp_path / "one.png", values[:, 1:])
    assert read_class_map(one, num_classes=2, encoding="objects").sum() == 2


def test_one_object_in_places_apart_comes_back(tmp_path):
    label_map = np.array([[1, 0, 1], [0, 0, 1]], np.int32)
    write_label_map(label_map, tmp_path / "a.tif")
    class_map = read_class_map(tmp_path / "a.tif", num_classes=2, encoding="objects")
    np.testing.assert_array_equal(class_map, label_map)


def test_objects_become_one_class(tmp_path):
    path = png(tmp_path / "a.png", np.array([[0, 1, 40_000], [7, 0, 255]], np.uint16))

    read = read_class_map(path, num_classes=3, encoding="objects", object_class=2)

    np.testing.assert_array_equal(read, [[0, 2, 2], [2, 0, 2]])
    np.testing.assert_array_equal(read_label_map(path), [[0, 1, 40_000], [7, 0, 255]])


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (np.array([[0.0, 0.5]], np.float32), "whole numbers"),
        (np.array([[0.0, np.nan]], np.float32), "whole numbers"),
        (np.array([[0.0, 1e30]], np.float32), "whole numbers"),
        (np.array([[0, -3]], np.int16), "object numbers from 0"),
        (np.array([[0, 2**31]], np.uint32), "object numbers from 0"),
    ],
)
def test_other_values_are_no_label_map(tmp_path, values, what):
    tifffile.imwrite(tmp_path / "a.tif", values)

    with pytest.raises(MicrographError, match=what):
        read_label_map(tmp_path / "a.tif")


def test_jpeg_is_refused(tmp_path):
    path = png(tmp_path / "a.jpg", CLASSES)

    with pytest.raises(MicrographError, match="without loss"):
        read_class_map(path, num_classes=3)


@pytest.mark.parametrize(
    "how",
    [
        {"num_classes": 1},
        {"num_classes": 256},
        {"num_classes": 3, "object_class": 3},
        {"num_classes": 3, "object_class": 0},
        {"num_classes": 3, "encoding": "rle"},
    ],
)
def test_a_slip_of_the_programmer_is_told(tmp_path, how):
    with pytest.raises(ValueError, match="Received"):
        read_class_map(tmp_path / "a.png", **how)


def test_annotations_of_real_micrographs(shared_data):
    folder = shared_data("loops_ti")

    labels = read_label_map(folder / "instances_annotator_a" / "frame_0002.png")

    assert labels.shape == (2048, 2048)
    assert len(np.unique(labels)) > 100
    classes = read_class_map(
        shared_data("precipitates_ni") / "masks" / "spot1_0d_0.png", num_classes=3
    )
    assert set(np.unique(classes)) == {0, 1, 2}


def test_ilastik_counts_the_matrix_as_one(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 1, 2], [3, 1, 1]], np.uint8))

    read = read_class_map(
        tmp_path / "a.tif", num_classes=3, encoding="class_index_from_1"
    )

    np.testing.assert_array_equal(read, [[-1, 0, 1], [2, 0, 0]])
    with pytest.raises(MicrographError, match="from 1 \\(the matrix\\) to 2"):
        read_class_map(tmp_path / "a.tif", num_classes=2, encoding="class_index_from_1")
