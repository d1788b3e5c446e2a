"""EfficientNet-Lite0 has the blocks and the parameters of the release."""

import numpy as np

from defectkeras.models.encoders.efficientnet_lite0 import build_efficientnet_lite0


def test_parameters_and_shapes():
    model = build_efficientnet_lite0((64, 96, 3))
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert (trainable, model.count_params()) == (3_371_008, 3_413_024)
    assert model.output_shape == (None, 2, 3, 1280)
    assert sum(layer.name.endswith("depthwise_conv") for layer in model.layers) == 16
    assert model.get_layer("block_15_project_norm").output.shape[1:] == (2, 3, 320)
