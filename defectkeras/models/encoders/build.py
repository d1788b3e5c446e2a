"""Build an encoder: a network for classification as a source of feature maps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from defectkeras.core.errors import ModelError
from defectkeras.core.names import require_known
from defectkeras.models.encoders.atrous import make_atrous, widen_multi_grid
from defectkeras.models.encoders.families import ENCODERS, EncoderFamily
from defectkeras.models.encoders.graph import (
    LayerConfig,
    insert_after_input,
    prefix_layers,
    rename_layers,
)
from defectkeras.models.encoders.weights import (
    PREFIX,
    copy_imagenet_weights,
    copy_own_weights,
    preprocessing_name,
)
from defectkeras.models.shapes import InputShape, require_input_shape

OUTPUT_STRIDES = (8, 16, 32)
NO_MULTI_GRID = (1, 1, 1)

# As in defect_seg_net.py: averages that lag behind the weights make inference
# useless after a short training. Keras' networks have 0.99 and 0.999.
NORM_MOMENTUM = 0.9
TEMPLATE_SHAPE = (224, 224, 3)  # what the ImageNet weights are asked for


def build_encoder(
    name: str,
    input_shape: InputShape = (None, None, 1),
    *,
    output_stride: int = 32,
    weights: str | None = None,
    alpha: float = 1.0,
    multi_grid: tuple[int, int, int] = NO_MULTI_GRID,
) -> keras.Model:
    """Build an encoder that takes normalized grey images, or any others in [0, 1].

    What its network wants of an image (its mean, its scale) is the first layer. The
    map of each stride is the last one of that size; the smallest is the end of the
    network.

    Args:
        name: A name of `ENCODERS`.
        input_shape: (H, W, C) of the image in [0, 1]; H and W are multiples of
            `output_stride` or None, which is any such size.
        output_stride: 32 is the network as it is; with 16 and 8 the last strides
            are removed and the convolutions that follow look farther apart.
        weights: "imagenet"; None begins at random; else the path of a `.keras`
            file that holds this encoder, alone or in a larger model. With ImageNet
            weights and another number of channels C than three, the kernel of the
            first convolution is summed over red, green and blue and divided by C,
            so that equal channels give what a grey picture gave.
        alpha: Width of a MobileNet, a factor of its channels.
        multi_grid: Factors of the rates of a ResNet's last three 3x3 convolutions,
            (1, 2, 4) in DeepLabV3; only where `output_stride` is below 32.

    Returns:
        A functional model from (B, H, W, C) to {"stride_2": (B, H/2, W/2, *),
        "stride_4": ..., ...} down to the output stride.

    Raises:
        ModelError: When a name, a size or an argument does not fit, or the weights
            cannot be had.

    Example:
        >>> encoder = build_encoder("mobilenet_v2", alpha=0.35, output_stride=8)
        >>> {stride: map.shape[-1] for stride, map in encoder.output.items()}
        {'stride_2': 48, 'stride_4': 48, 'stride_8': 1280}
    """
    require_known(name, ENCODERS, what="encoder", error=ModelError)
    family = ENCODERS[name]
    require_input_shape(input_shape, stride=output_stride)
    _check_arguments(name, family, output_stride, alpha, multi_grid)
    network = _build_network(name, family, weights, alpha)
    config = network.get_config()
    names = rename_layers(config, input_name="image")
    layers: list[LayerConfig] = config["layers"]
    _settle(layers, family, input_shape)
    last = make_atrous(layers, output_stride)
    widen_multi_grid(layers, dict(zip(family.multi_grid, multi_grid, strict=False)))
    prefixed = prefix_layers(config, PREFIX)  # by which training knows an encoder
    insert_after_input(layers, _preprocessing(name, family, input_shape[2]))
    body = keras.Model.from_config(config)
    maps = {
        f"stride_{stride}": body.get_layer(prefixed[layer]).output
        for stride, layer in sorted(last.items())
        if stride > 1
    }
    encoder = keras.Model(body.input, maps, name=name)
    if weights == "imagenet":
        names = {old: prefixed[new] for old, new in names.items()}
        copy_imagenet_weights(network, encoder, names, family)
    elif weights is not None:
        copy_own_weights(Path(weights), encoder)
    return encoder


def _check_arguments(
    name: str,
    family: EncoderFamily,
    output_stride: int,
    alpha: float,
    multi_grid: Sequence[int],
) -> None:
    if output_stride not in OUTPUT_STRIDES:
        raise ModelError(
            f"`output_stride` must be one of {OUTPUT_STRIDES}. Received: "
            f"{output_stride}."
        )
    if alpha <= 0:
        raise ModelError(f"The width of {name} must be above 0. Received: {alpha}.")
    if alpha != 1.0 and not family.has_alpha:
        raise ModelError(
            f"{name} has no choice of width. Received: alpha={alpha}. Leave it out."
        )
    has_grid = tuple(multi_grid) != NO_MULTI_GRID
    if len(multi_grid) != 3 or min(multi_grid) < 1:
        raise ModelError(
            f"`multi_grid` must be three factors from 1 on. Received: {multi_grid}."
        )
    if has_grid and (not family.multi_grid or output_stride == 32):
        raise ModelError(
            "`multi_grid` must be left out but for a ResNet with an output stride of "
            f"8 or 16. Received: {multi_grid} for {name} with {output_stride}."
        )


def _build_network(
    name: str, family: EncoderFamily, weights: str | None, alpha: float
) -> keras.Model:
    """Build the network of a family as it is for ImageNet."""
    arguments: dict[str, Any] = {"alpha": alpha} if family.has_alpha else {}
    from_imagenet = "imagenet" if weights == "imagenet" else None
    try:
        return family.build(
            input_shape=TEMPLATE_SHAPE,
            include_top=False,
            weights=from_imagenet,
            **arguments,
        )
    except ModelError:
        raise
    except Exception as error:  # what Keras raises where there is no connection
        if from_imagenet is None:
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"The ImageNet weights of {name} must be downloaded by Keras, and that "
            f"failed: {reason} Connect, or take efficientnet_lite0, whose weights "
            "come as a package."
        ) from error


def _settle(
    layers: list[LayerConfig], family: EncoderFamily, input_shape: InputShape
) -> None:
    """Set the image's shape, the momentum of the averages and the first paddings."""
    for layer in layers:
        layer.pop("build_config", None)  # has the template's shape
        settings = layer["config"]
        if layer["class_name"] == "InputLayer":
            settings["batch_shape"] = (None, *input_shape)
        if layer["class_name"] == "BatchNormalization":
            settings["momentum"] = NORM_MOMENTUM
        if layer["name"] in family.pads_first:
            settings["padding"] = "same"


def _preprocessing(
    name: str, family: EncoderFamily, channels: int
) -> keras.layers.Rescaling:
    """Give the layer from [0, 1] to what the network knows, float32 for its range."""
    offsets = family.offsets_rgb
    offset = list(offsets) if channels == 3 else sum(offsets) / 3
    return keras.layers.Rescaling(
        family.scale, offset, dtype="float32", name=preprocessing_name(name)
    )
