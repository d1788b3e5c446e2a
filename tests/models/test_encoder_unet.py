"""A U-Net on an encoder: its maps meet at each size."""

import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.encoder_unet import DECODER_FILTERS, build_encoder_unet

SMALL = {"encoder": "mobilenet_v2", "encoder_alpha": 0.35}


@pytest.mark.parametrize("upsampling", ["bilinear", "subpixel"])
def test_each_level_joins_the_map_of_the_encoder(upsampling):
    model = build_encoder_unet(
        (64, 96, 1), num_classes=2, upsampling=upsampling, **SMALL
    )
    for stride, filters in DECODER_FILTERS.items():
        shape = model.get_layer(f"decoder_{stride}_2_relu").output.shape
        assert shape == (None, 64 // stride, 96 // stride, filters)
    assert model.get_layer("decoder_4_inputs").output.shape[-1] == 48 + 48
    assert model(np.zeros((2, 64, 96, 1), np.float32)).shape == (2, 64, 96, 2)


@pytest.mark.parametrize(("stride", "parameters"), [(16, 1_210_882), (8, 237_618)])
def test_encoder_ends_where_it_is_told(stride, parameters):
    model = build_encoder_unet(num_classes=2, encoder_stride=stride)
    assert model.count_params() == parameters
    assert f"decoder_{stride}_upsample" not in {layer.name for layer in model.layers}
    shape = (1, 5 * stride, 7 * stride)
    assert model(np.zeros((*shape, 1), np.float32)).shape == (*shape, 2)
    with pytest.raises(ModelError, match=r"`encoder_stride` must be one of"):
        build_encoder_unet(num_classes=2, encoder_stride=4)
