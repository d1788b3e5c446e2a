import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from defectkeras.core.arrays import NOT_ANNOTATED, require_class_map, require_image

REAL_DTYPES = ["bool", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]
ANY_DTYPE = st.one_of(
    hnp.scalar_dtypes(),
    hnp.unicode_string_dtypes(),
    hnp.byte_string_dtypes(),
    st.just(np.dtype(object)),
)
ANY_ARRAY = ANY_DTYPE.flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        elements=st.text(max_size=2) | st.floats() if dtype.kind == "O" else None,
    )
)


@pytest.mark.parametrize("dtype", REAL_DTYPES)
def test_image_of_any_real_type_becomes_float32(dtype):
    image = np.arange(6).reshape(2, 3).astype(dtype)
    checked = require_image(image, name="image")
    assert checked.dtype == np.float32
    np.testing.assert_array_equal(checked, image.astype(np.float32))


@pytest.mark.parametrize("dtype", [">f4", ">u2", "<i4"])
def test_image_of_either_byte_order_is_read_alike(dtype):
    image = np.array([[1, 2, 300]], dtype=dtype)
    checked = require_image(image, name="image")
    assert checked.dtype == np.float32
    assert checked.dtype.isnative
    np.testing.assert_array_equal(checked, [[1.0, 2.0, 300.0]])


@given(ANY_ARRAY)
def test_no_array_gets_past_the_border_as_something_else(array):
    try:
        checked = require_image(array, name="image")
    except ValueError as error:
        message = str(error)
    else:
        assert checked.dtype == np.float32
        assert checked.ndim == 2
        assert checked.size
        assert np.isfinite(checked).all()
        return
    assert message.startswith("`image` must")
    assert "Received: " in message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_image_must_be_finite_in_float32(value):
    image = np.zeros((2, 3))
    image[1, 2] = value
    with pytest.raises(ValueError, match=r"finite.*Received: 1 "):
        require_image(image, name="image")


@given(ANY_ARRAY, st.integers(1, 300))
def test_a_checked_class_map_holds_classes_only(array, num_classes):
    try:
        checked = require_class_map(array, num_classes=num_classes, name="mask")
    except ValueError as error:
        message = str(error)
    else:
        assert checked.dtype == np.int32
        assert checked.ndim == 2
        assert NOT_ANNOTATED <= checked.min() <= checked.max() < num_classes
        return
    assert message.startswith("`mask` must")
    assert "Received: " in message


@given(
    hnp.arrays(
        st.sampled_from([np.int8, np.int32, np.int64]),
        hnp.array_shapes(min_dims=2, max_dims=2),
        elements=st.integers(NOT_ANNOTATED, 3),
    )
)
def test_class_map_keeps_its_values(array):
    checked = require_class_map(array, num_classes=4, name="mask")
    np.testing.assert_array_equal(checked, array)


def test_bool_mask_is_a_class_map_of_two_classes():
    mask = np.array([[True, False, True]])
    checked = require_class_map(mask, num_classes=2, name="mask")
    np.testing.assert_array_equal(checked, [[1, 0, 1]])


def test_a_huge_unsigned_index_is_not_wrapped():
    mask = np.array([[2**64 - 1, 0, 0]], dtype=np.uint64)
    with pytest.raises(ValueError, match="18446744073709551615"):
        require_class_map(mask, num_classes=2, name="mask")
