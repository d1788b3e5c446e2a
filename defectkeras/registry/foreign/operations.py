"""Functions of TensorFlow and Keras 3 within a model, as layers of Keras 3."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import floordiv, mod
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from defectkeras.core.errors import ModelError
from defectkeras.registry.foreign.description import Call, Place
from defectkeras.registry.foreign.layers import (
    ACTIVATIONS,
    make_upsampling,
    read_pooling,
)

_FROM = ("nn", "math", "image", "__operators__", "ops", "")
_OTHER_NAMES = {
    "truediv": "divide",
    "true_divide": "divide",
    "sub": "subtract",
    "mul": "multiply",
    "concat": "concatenate",
    "reduce_mean": "mean",
    "resizing": "resize",
}
_OF_TWO = {
    "add": keras.layers.Add,
    "subtract": keras.layers.Subtract,
    "multiply": keras.layers.Multiply,
}
_LAST_AXIS = (-1, 3)
_RESIZE_DEFAULTS = {
    **dict.fromkeys(("antialias", "preserve_aspect_ratio"), (False,)),
    **dict.fromkeys(("crop_to_aspect_ratio", "pad_to_aspect_ratio"), (False,)),
    "data_format": ("channels_last",),
    "fill_mode": ("constant",),
    "fill_value": (0,),
}
_HEIGHT_AND_WIDTH = ([1, 2], [2, 1], [-3, -2], [-2, -3])


class _UnknownError(Exception):
    """Something about a call that is not known; the text tells what."""


def read_operation(
    class_name: str, path: str, call: Call, tensors: Sequence[Any]
) -> keras.layers.Layer | None:
    """Make the layer of Keras 3 that computes what a function computed.

    Args:
        class_name: Such as "tf.nn.relu" or "ops.Relu".
        path: The name of the layer.
        call: What it takes.
        tensors: Those at the places of the call, which the layer takes in this order.

    Returns:
        The layer; None where the function passes its tensor on.

    Raises:
        ModelError: When the function or one of its arguments is not known.
    """
    module, _, short = class_name.removeprefix("tf.").rpartition(".")
    operation = re.sub("([a-z])([A-Z])", r"\1_\2", short).lower()
    operation = _OTHER_NAMES.get(operation, operation)
    read = _READERS.get(operation)
    if read is None or module not in _FROM:
        raise ModelError(
            f"The operation {class_name!r} of {path!r} cannot be imported; known are "
            f"{', '.join(sorted(_READERS))}. Use a layer for it, or leave it out with "
            f"--skip-layer {path} if it does nothing to a grey image."
        )
    told = {
        key: value
        for key, value in call.arguments.items()
        if value is not None and key not in ("name", "training")
    }
    try:
        return read(operation, path, _Told(list(call.operands), told, tensors))
    except _UnknownError as what:
        raise ModelError(
            f"The operation {class_name!r} of {path!r} cannot be imported: {what}. Use "
            "a layer for it."
        ) from None


@dataclass
class _Told:
    """What a function takes; what is read is taken away."""

    operands: list[Any]
    arguments: dict[str, Any]
    tensors: Sequence[Any]

    def take(self, *names: str, default: Any = None) -> Any:
        """Give the argument that has one of the names, else the default."""
        for name in names:
            if name in self.arguments:
                return self.arguments.pop(name)
        return default

    def require_no_more(self, **harmless: Any) -> None:
        """Check that nothing is left that changes the result."""
        for key, value in self.arguments.items():
            if value not in harmless.get(key, ()):
                raise _UnknownError(f"it has {key}={value!r}")


def _activate(operation: str, path: str, told: _Told) -> keras.layers.Layer:
    told.require_no_more(axis=_LAST_AXIS, approximate=(False,), alpha=(1,))
    return keras.layers.Activation(ACTIVATIONS[operation], name=path)


def _leaky_relu(operation: str, path: str, told: _Told) -> keras.layers.Layer:
    slope = told.take("alpha", "negative_slope", default=0.2)
    told.require_no_more()
    return keras.layers.LeakyReLU(float(slope), name=path)


def _combine(operation: str, path: str, told: _Told) -> keras.layers.Layer:
    """Combine two tensors, or a tensor and a number or one for each channel."""
    operands = [*told.operands, told.take("x", "x1"), told.take("y", "x2")]
    operands = [value for value in operands if value is not None]
    told.require_no_more()
    if len(operands) != 2:
        raise _UnknownError(f"it has {len(operands)} operands")
    is_tensor = [isinstance(value, Place) for value in operands]
    if all(is_tensor):
        if operation not in _OF_TWO:
            raise _UnknownError("it has two tensors")
        return _OF_TWO[operation](name=path)
    array = np.array(operands[is_tensor.index(False)], dtype=np.float64)
    if array.ndim > 0 and array.size > array.shape[-1]:
        raise _UnknownError("an array must have one number for each channel")
    number = np.squeeze(array)
    scale, offset = _scale_and_offset(operation, number, is_turned=not is_tensor[0])
    return keras.layers.Rescaling(scale.tolist(), offset.tolist(), name=path)


def _scale_and_offset(
    operation: str, number: NDArray[np.float64], *, is_turned: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give what a tensor is multiplied by, and what is added."""
    zero, one = np.zeros(()), np.ones(())
    if operation == "add":
        return one, number
    if operation == "subtract":
        return (-one, number) if is_turned else (one, -number)
    if operation == "multiply":
        return number, zero
    if is_turned:
        raise _UnknownError("it divides by a tensor")
    return 1 / number, zero


def _mean(operation: str, path: str, told: _Told) -> keras.layers.Layer:
    if told.take("axis") not in _HEIGHT_AND_WIDTH:
        raise _UnknownError("the mean must be over height and width")
    keepdims = bool(told.take("keepdims", default=False))
    told.require_no_more()
    return keras.layers.GlobalAveragePooling2D(keepdims=keepdims, name=path)


def _concatenate(operation: str, path: str, told: _Told) -> keras.layers.Layer:
    values = told.take("values", default=told.operands)
    if not all(isinstance(value, Place) for value in _flat(values)):
        raise _UnknownError("it takes a constant, too")
    if told.take("axis") not in _LAST_AXIS:
        raise _UnknownError("it must put channels behind each other, axis=-1")
    told.require_no_more()
    return keras.layers.Concatenate(name=path)


def _flat(values: list[Any]) -> list[Any]:
    """Give the values of [a, b] or of [[a, b]]."""
    return values[0] if len(values) == 1 and type(values[0]) is list else values


def _pool(operation: str, path: str, told: _Told) -> keras.layers.Layer:
    return read_pooling(path, told.arguments)


def _cast(operation: str, path: str, told: _Told) -> None:
    """Leave a tensor as it is: places of a pooling, which are whole numbers, too."""
    (tensor,) = told.tensors
    dtype = told.take("dtype")
    if tensor.dtype != "uint8" and dtype != "float32":
        raise _UnknownError(f"it makes {dtype} of {tensor.dtype}")


def _resize(operation: str, path: str, told: _Told) -> keras.layers.Layer:
    """Magnify as often as it did at the size of its training."""
    size = told.take("size", default=told.operands[-1])
    if "height" in told.arguments:
        size = [told.take("height"), told.take("width")]
    method = told.take("method", "interpolation", default="bilinear")
    told.require_no_more(**_RESIZE_DEFAULTS)
    before = told.tensors[0].shape[1:3]
    if None in before or not _is_size(size) or any(map(mod, size, before)):
        raise _UnknownError(
            f"it must magnify a known size by a whole number, and makes {size} of "
            f"{before}"
        )
    return make_upsampling(path, list(map(floordiv, size, before)), method)


def _is_size(value: Any) -> bool:
    return isinstance(value, list) and [type(item) for item in value] == [int, int]


_READERS: dict[str, Callable[[str, str, _Told], keras.layers.Layer | None]] = {
    **dict.fromkeys(ACTIVATIONS, _activate),
    **dict.fromkeys((*_OF_TWO, "divide"), _combine),
    "leaky_relu": _leaky_relu,
    "mean": _mean,
    "concatenate": _concatenate,
    "max_pool_with_argmax": _pool,
    "cast": _cast,
    "resize": _resize,
}
