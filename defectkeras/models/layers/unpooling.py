"""Max pooling that remembers where each maximum was, and its exact inverse.

SegNet's decoder puts each value back where the encoder found it. Keras has no such
layer, and TensorFlow's `max_pool_with_argmax` with a scatter neither compiles under
XLA nor has a deterministic gradient on a GPU. Here the place of a maximum is a small
integer, its cell in its own window, and pooling, unpooling and the gradient of both
are comparisons and slices (`windows.py`).

Reference:
    V. Badrinarayanan, A. Kendall, R. Cipolla, SegNet, IEEE TPAMI 39 (2017) 2481,
    https://doi.org/10.1109/TPAMI.2016.2644615
"""

import math
from typing import Any, Literal

import keras
from keras import ops

from defectkeras.models.layers.maxima import (
    code_dtype,
    first_maximum,
    flat_places,
    scatter,
    spread,
    with_gradient,
)
from defectkeras.models.layers.windows import Padding, Pair, Windows

Indices = Literal["window", "flat"]


class _WindowLayer(keras.layers.Layer):
    """What the two layers below share: their windows, and how they tell a place."""

    def __init__(
        self,
        pool_size: int | Pair = (2, 2),
        strides: int | Pair | None = None,
        padding: Padding = "same",
        indices: Indices = "window",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = _pair("pool_size", pool_size)
        self.strides = _pair("strides", self.pool_size if strides is None else strides)
        self.padding = _one_of("padding", padding, ("same", "valid"))
        self.indices = _one_of("indices", indices, ("window", "flat"))
        self._windows = Windows(self.pool_size, self.strides, self.padding)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this layer again."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "indices": self.indices,
        }


@keras.saving.register_keras_serializable(package="defectkeras")
class MaxPoolingWithIndices(_WindowLayer):
    """Pool by the maximum of each window and tell where it was.

    Of equal values the first one wins, in row-major order; NaN loses against every
    number. Only the image counts, never the padding around it. The gradient goes to
    the pixel of the maximum.

    Indices are integers and are never to be cast to a float, which is exact only up
    to 2^24 (float32) or 2^11 (float16).

    Args:
        pool_size: Rows and columns of a window, or one number for both.
        strides: Rows and columns between windows; None takes `pool_size`.
        padding: "same", ceil(H / stride) windows, as TensorFlow places them, or
            "valid", only windows within the image, (H - pool) // stride + 1.
        indices: "window", the cell within its window, row * pool columns + column,
            in uint8 (int32 above 256 cells); or "flat", (y * W + x) * C + c in the
            image, in int64, as `tf.nn.max_pool_with_argmax` gives it.
        **kwargs: Those of every Keras layer, such as `name`.

    Example:
        >>> image = ops.reshape(ops.convert_to_tensor(
        ...     [1.0, 2, 6, 3, 9, 1, 3, 5, 2, 1, 0, 4]), (1, 2, 6, 1))
        >>> pooled, indices = MaxPoolingWithIndices()(image)
        >>> pooled[0, 0, :, 0].numpy(), indices[0, 0, :, 0].numpy()
        (array([5., 6., 9.], dtype=float32), array([3, 0, 0], dtype=uint8))
        >>> MaxUnpooling2D()([pooled, indices])[0, :, :, 0].numpy()
        array([[0., 0., 6., 0., 9., 0.],
               [0., 5., 0., 0., 0., 0.]], dtype=float32)
    """

    def call(self, images: Any, training: bool | None = None) -> list[Any]:
        """Pool (B, H, W, C) to values and indices, both (B, h, w, C)."""
        size = tuple(ops.shape(images)[1:3])
        pooled, codes = first_maximum(self._windows.cut(images, fill=math.nan))
        if training is not False:
            maxima = pooled
            pooled = with_gradient(
                lambda _: maxima,
                images,
                lambda g: spread(g, codes, self._windows, size, adjoint=True),
            )
        if self.indices == "flat":
            return [pooled, flat_places(codes, self._windows, size)]
        return [pooled, codes]

    def compute_output_spec(self, images: Any) -> list[Any]:
        """Give shape and dtype of values and indices."""
        batch, *size, channels = images.shape
        counts = [
            None if pixels is None else self._windows.count(axis, pixels)
            for axis, pixels in enumerate(size)
        ]
        shape = (batch, *counts, channels)
        cells = math.prod(self.pool_size)
        dtype = "int64" if self.indices == "flat" else code_dtype(cells)
        return [
            keras.KerasTensor(shape, dtype=self.compute_dtype),
            keras.KerasTensor(shape, dtype=dtype),
        ]


@keras.saving.register_keras_serializable(package="defectkeras")
class MaxUnpooling2D(_WindowLayer):
    """Put each value back where `MaxPoolingWithIndices` found the maximum.

    All other pixels are 0. Where windows overlap and point to the same pixel, the
    values add up, as in a scatter; the gradient of a value is that of its pixel.

    The size of the result is that of a third input, if one is given. Else it is
    stride * h for "same" and stride * (h - 1) + pool for "valid", what
    tensorflow-addons gives: the size itself where windows cover the image without
    a rest. An image of another size needs the third input.

    Args:
        pool_size: Rows and columns of a window, as in the pooling.
        strides: Rows and columns between windows, as in the pooling.
        padding: "same" or "valid", as in the pooling.
        indices: What the second input holds, as in the pooling. "window" needs only
            slices. "flat" takes any places in the result and needs a scatter.
        **kwargs: Those of every Keras layer, such as `name`.

    Example:
        >>> values = ops.reshape(ops.convert_to_tensor([7.0, 8.0]), (1, 1, 2, 1))
        >>> indices = ops.reshape(ops.convert_to_tensor([2, 1], "uint8"), (1, 1, 2, 1))
        >>> MaxUnpooling2D()([values, indices])[0, :, :, 0].numpy()
        array([[0., 0., 0., 8.],
               [7., 0., 0., 0.]], dtype=float32)
    """

    def call(self, inputs: list[Any], training: bool | None = None) -> Any:
        """Unpool values and indices (B, h, w, C) to (B, H, W, C).

        Args:
            inputs: Values; indices; and, if the size is to be its own, any tensor
                (B, H, W, *) of that size.
            training: Whether the gradient is wanted soon, see `maxima.with_gradient`.

        Raises:
            ValueError: When the indices are not integers, or do not have the shape
                of the values.
        """
        values, indices, *like = inputs
        _require_places(values, indices)
        if like:
            size = tuple(ops.shape(like[0])[1:3])
        else:
            size = tuple(
                self._windows.natural_size(axis, count)
                for axis, count in enumerate(ops.shape(values)[1:3])
            )
        if self.indices == "flat":
            return scatter(values, indices, size)
        adjoint = training is not False
        return spread(values, indices, self._windows, size, adjoint=adjoint)

    def compute_output_spec(self, inputs: list[Any]) -> Any:
        """Give shape and dtype of the result."""
        values, indices, *like = inputs
        _require_places(values, indices)
        batch, *counts, channels = values.shape
        size = [
            None if count is None else self._windows.natural_size(axis, count)
            for axis, count in enumerate(counts)
        ]
        if like:
            size = like[0].shape[1:3]
        return keras.KerasTensor((batch, *size, channels), dtype=self.compute_dtype)


def _require_places(values: Any, indices: Any) -> None:
    if "int" not in keras.backend.standardize_dtype(indices.dtype):
        raise ValueError(
            "Indices must be integers, for a float is exact only up to 2^24 or less. "
            f"Received: {indices.dtype}."
        )
    pairs = list(zip(values.shape, indices.shape, strict=True))
    if any(a != b for a, b in pairs if a is not None and b is not None):
        raise ValueError(
            "Values and indices must have one shape. "
            f"Received: {tuple(values.shape)} and {tuple(indices.shape)}."
        )


def _pair(name: str, value: int | Pair) -> Pair:
    rows, columns = (value, value) if isinstance(value, int) else value
    if min(rows, columns) < 1:
        raise ValueError(f"`{name}` must be at least 1. Received: {value}.")
    return int(rows), int(columns)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> Any:
    if value not in known:
        raise ValueError(f"`{name}` must be one of {known}. Received: {value!r}.")
    return value
