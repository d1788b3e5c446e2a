"""The architectures by name."""

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import keras

from defectkeras.core.errors import ModelError
from defectkeras.core.names import require_known
from defectkeras.core.strict import typed_arguments
from defectkeras.models import (
    deeplab_v3,
    deeplab_v3_plus,
    defect_seg_net,
    encoder_unet,
    fast_fcn,
    fcn,
    patch_classifier,
    segnet,
    segnet_basic,
    unet,
)
from defectkeras.models.receptive_field import model_stride, receptive_field_px

MODEL_BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "deeplab_v3": deeplab_v3.build_deeplab_v3,
    "deeplab_v3_plus": deeplab_v3_plus.build_deeplab_v3_plus,
    "defectsegnet": defect_seg_net.build_defect_seg_net,
    "encoder_unet": encoder_unet.build_encoder_unet,
    "fast_fcn": fast_fcn.build_fast_fcn,
    "fcn": fcn.build_fcn,
    "patch_classifier": patch_classifier.build_patch_classifier,
    "unet": unet.build_unet,
    "segnet": segnet.build_segnet,
    "segnet_basic": segnet_basic.build_segnet_basic,
}
"""Architecture to `build_<architecture>(input_shape, *, num_classes, ...)`."""


@dataclass(frozen=True)
class ArchitectureFacts:
    """What prediction must know to cut an image into tiles for a model.

    Attributes:
        stride: The number that the height and the width of an image and the
            origin of a tile must be a multiple of, in pixels.
        receptive_field_px: Side of a square that, centered on any output pixel,
            holds all input pixels it depends on, in pixels. Half of it, rounded
            down, is the halo with which tiles leave no trace. None where a pixel
            depends on the whole image.
    """

    stride: int
    receptive_field_px: int | None


def describe_architecture(model: keras.Model) -> ArchitectureFacts:
    """Read from the graph of a model what prediction must know of it.

    Args:
        model: A functional model (B, H, W, C) to logits (B, H, W, K).

    Example:
        >>> describe_architecture(build_model("defectsegnet", num_classes=4))
        ArchitectureFacts(stride=8, receptive_field_px=103)
    """
    return ArchitectureFacts(model_stride(model), receptive_field_px(model))


def build_model(architecture: str, **arguments: Any) -> keras.Model:
    """Build a model by the name of its architecture.

    Args:
        architecture: A name of `MODEL_BUILDERS`.
        **arguments: Those of the architecture's builder; `num_classes` is
            always wanted.

    Returns:
        An uncompiled model from (B, H, W, C) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When the architecture or an argument is unknown (the nearest name
            is told), `num_classes` is missing, or a value is of another type or
            cannot be. The builders themselves raise a ValueError for the last.

    Example:
        >>> build_model("defectsegnet", num_classes=4).output_shape
        (None, None, None, 4)
        >>> build_model("defectsegnett", num_classes=4)
        Traceback (most recent call last):
        defectkeras.core.errors.ModelError: Unknown architecture \
'defectsegnett'. Did you mean 'defectsegnet'?
    """
    builder = find_builder(architecture, arguments)
    typed = typed_arguments(builder, arguments, where=architecture, error=ModelError)
    try:
        return builder(**typed)
    except ValueError as error:  # a number that cannot be; some are told by Keras
        message = str(error).splitlines()[0]
        raise ModelError(f"{architecture} cannot be built. {message}") from error


def find_builder(
    architecture: str, arguments: Collection[str]
) -> Callable[..., keras.Model]:
    """Give the builder of an architecture, which must know these arguments.

    Args:
        architecture: A name of `MODEL_BUILDERS`.
        arguments: Names of arguments, "num_classes" among them.

    Raises:
        ModelError: As for `build_model`.
    """
    require_known(architecture, MODEL_BUILDERS, what="architecture", error=ModelError)
    builder = MODEL_BUILDERS[architecture]
    known = inspect.signature(builder).parameters
    for argument in arguments:
        require_known(
            argument, known, what=f"argument of {architecture}", error=ModelError
        )
    if "num_classes" not in arguments:
        raise ModelError(f"{architecture} needs `num_classes`. Received: {arguments}.")
    return builder
