"""U-Net against the published table."""

import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.unet import build_unet
from defectkeras.models.upsampling import UPSAMPLING_METHODS


@pytest.mark.usefixtures("undrawn_weights")
def test_published_parameters():
    model = build_unet(num_classes=2, batch_norm=False)
    assert model.count_params() == 31_030_658


@pytest.mark.usefixtures("undrawn_weights")
def test_table_of_the_paper():
    """Filters of each map, and sizes as the paper's without its cropping."""
    model = build_unet((96, 160, 1), num_classes=2, batch_norm=False)
    for level, filters in enumerate([64, 128, 256, 512], start=1):
        size = (96 // 2 ** (level - 1), 160 // 2 ** (level - 1))
        for name in (f"down_{level}_conv_2", f"up_{level}_conv_2", f"upsample_{level}"):
            assert model.get_layer(name).output.shape[1:] == (*size, filters)
        joined = model.get_layer(f"join_{level}").output
        assert joined.shape[1:] == (*size, 2 * filters)
    assert model.get_layer("bottom_conv_2").output.shape[1:] == (6, 10, 1024)
    convolutions = [x for x in model.layers if "_conv_" in x.name]
    assert len(convolutions) == 18  # 23 with the four upsamplings and the last
    assert {x.kernel_size for x in convolutions} == {(3, 3)}


def test_normalization_is_before_each_relu():
    model = build_unet(num_classes=2, filters=2)
    for layer in model.layers:
        if "_relu_" in layer.name:
            norm = layer.input._keras_history.operation.name
            assert norm == layer.name.replace("relu", "norm")


@pytest.mark.parametrize("upsampling", UPSAMPLING_METHODS)
def test_every_upsampling_fits(upsampling):
    model = build_unet((32, 48, 2), num_classes=3, filters=2, upsampling=upsampling)
    assert model(np.ones((2, 32, 48, 2), dtype=np.float32)).shape == (2, 32, 48, 3)


def test_unknown_upsampling_names_the_nearest():
    with pytest.raises(ModelError, match="Did you mean 'nearest'"):
        build_unet(num_classes=2, filters=2, upsampling="neerest")
