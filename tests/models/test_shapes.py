"""Sizes that a model takes, and messages that name the padded size."""

import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.shapes import require_input_shape, require_positive


@pytest.mark.parametrize(
    "shape", [(None, None, 1), (8, 16, 3), (None, 24, 1), [512, 640, 1]]
)
def test_fitting_shapes_pass(shape):
    require_input_shape(shape, stride=8)


@pytest.mark.parametrize(
    ("shape", "stride", "padded"),
    [
        ((100, 92, 1), 8, r"\(104, 96\)"),
        ((1, 8, 1), 8, r"\(8, 8\)"),
        ((None, 33, 1), 32, r"\(None, 64\)"),
        ((0, 8, 1), 8, r"\(8, 8\)"),
        ((-3, 8, 1), 8, r"\(8, 8\)"),
    ],
)
def test_other_sizes_name_the_padded_size(shape, stride, padded):
    with pytest.raises(ModelError, match=f"multiples of {stride}.*Pad.*{padded}"):
        require_input_shape(shape, stride=stride)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, None), (8, 8, 0), (1, 8, 8, 1)])
def test_shape_must_be_height_width_channels(shape):
    with pytest.raises(ModelError, match=r"\(height, width, channels\)"):
        require_input_shape(shape, stride=8)


def test_numbers_from_one_pass():
    require_positive(num_classes=1, filters=64)
    with pytest.raises(ValueError, match=r"`filters` must be .*filters=0"):
        require_positive(num_classes=1, filters=0)
