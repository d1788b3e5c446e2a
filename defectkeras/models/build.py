"""The architectures by name."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from defectkeras.core.errors import ModelError
from defectkeras.core.names import require_known
from defectkeras.models import defect_seg_net, fcn, patch_classifier, unet

MODEL_BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "defectsegnet": defect_seg_net.build_defect_seg_net,
    "fcn": fcn.build_fcn,
    "patch_classifier": patch_classifier.build_patch_classifier,
    "unet": unet.build_unet,
}
"""Architecture to `build_<architecture>(input_shape, *, num_classes, ...)`."""


@dataclass(frozen=True)
class ArchitectureFacts:
    """What prediction must know to cut an image into tiles for a model.

    Attributes:
        stride: The number that the height and the width of an image and the
            origin of a tile must be a multiple of, in pixels.
        receptive_field_px: Side of the smallest square that, centered on any
            output pixel, holds all input pixels it depends on, in pixels. Half
            of it, rounded down, is the halo that a tile needs.
    """

    stride: int
    receptive_field_px: int


ARCHITECTURE_FACTS: dict[str, ArchitectureFacts] = {
    "defectsegnet": ArchitectureFacts(
        stride=defect_seg_net.STRIDE,
        receptive_field_px=defect_seg_net.RECEPTIVE_FIELD_PX,
    ),
    "fcn": ArchitectureFacts(
        stride=fcn.STRIDE, receptive_field_px=fcn.RECEPTIVE_FIELD_PX
    ),
    "patch_classifier": ArchitectureFacts(
        stride=patch_classifier.STRIDE,
        receptive_field_px=patch_classifier.RECEPTIVE_FIELD_PX,
    ),
    "unet": ArchitectureFacts(
        stride=unet.STRIDE, receptive_field_px=unet.RECEPTIVE_FIELD_PX
    ),
}
"""Architecture to its facts, one row for each of `MODEL_BUILDERS`."""


def build_model(architecture: str, **arguments: Any) -> keras.Model:
    """Build a model by the name of its architecture.

    Args:
        architecture: A name of `MODEL_BUILDERS`.
        **arguments: Those of the architecture's builder; `num_classes` is
            always wanted.

    Returns:
        An uncompiled model from (B, H, W, C) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When the architecture or an argument is unknown, or
            `num_classes` is missing; the nearest name is told.

    Example:
        >>> build_model("defectsegnet", num_classes=4).output_shape
        (None, None, None, 4)
        >>> build_model("defectsegnett", num_classes=4)
        Traceback (most recent call last):
        defectkeras.core.errors.ModelError: Unknown architecture \
'defectsegnett'. Did you mean 'defectsegnet'?
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
    return builder(**arguments)


def model_stride(model: keras.Model) -> int:
    """Measure the number that height and width must be a multiple of.

    It is the factor by which the smallest map in the model is smaller than the
    image, so that it holds for any functional model, also a loaded one.

    Args:
        model: A functional model that takes (B, H, W, C) of any size.

    Returns:
        The stride in pixels.

    Example:
        >>> model_stride(build_model("defectsegnet", num_classes=4))
        8
    """
    side = 512
    outputs = keras.tree.flatten([layer.output for layer in model.layers])
    maps = keras.Model(model.inputs, outputs)
    shapes = maps.compute_output_shape((1, side, side, model.input_shape[-1]))
    return side // min(int(shape[1]) for shape in shapes)
