"""How far an output pixel of a model looks, read from its graph.

Along one axis, pixel i of a map of scale s (input pixels per pixel of the map)
depends on the input pixels from i s + low to i s + high. A window of k pixels with
rate d, stride t and padding p on a map changes this to::

    low - p s,    high + (d (k - 1) - p) s,    scale t s

and so for every kind of layer; where maps meet, the wider counts. The result holds
for every pixel, so that it may be a few pixels more than one of them needs.
"""

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

import keras

from defectkeras.models.encoders.graph import LayerConfig, inbound

Settings: TypeAlias = dict[str, Any]


class Reach(NamedTuple):
    """What one pixel of a map depends on, in input pixels.

    Attributes:
        scale: Input pixels per pixel of the map.
        low: From where, relative to the pixel's own place; minus infinity where it
            depends on the whole image.
        high: To where.
    """

    scale: float = 1.0
    low: float = 0.0
    high: float = 0.0


WHOLE_IMAGE = Reach(0.0, -math.inf, math.inf)


def model_stride(model: keras.Model) -> int:
    """Give the number that height and width of an image must be a multiple of.

    It is the scale of the smallest map in the model; a pool over the whole image
    does not count.

    Args:
        model: A functional model that takes (B, H, W, C) of any size.

    Returns:
        The stride in pixels.

    Example:
        >>> image = keras.Input((None, None, 1))
        >>> x = keras.layers.Conv2D(2, 3, strides=2, padding="same")(image)
        >>> model_stride(keras.Model(image, keras.layers.UpSampling2D(2)(x)))
        2
    """
    return round(max(reach.scale for reach in _walk(model.get_config()).values()))


def receptive_field_px(model: keras.Model) -> int | None:
    """Give the side of the square that holds all that an output pixel depends on.

    Args:
        model: A functional model of one output (B, H, W, K).

    Returns:
        The side in pixels, an odd number, of a square around the pixel; None where
        every pixel depends on the whole image, by a pool over it.

    Example:
        >>> image = keras.Input((None, None, 1))
        >>> x = keras.layers.Conv2D(2, 3, padding="same", dilation_rate=4)(image)
        >>> receptive_field_px(keras.Model(image, x))
        9
    """
    config = model.get_config()
    ((name, number),) = _outputs(config)
    reaches = _walk(config)
    reach = reaches.get((name, number), reaches[name, 0])
    if math.isinf(reach.high):
        return None
    return 2 * math.ceil(max(-reach.low, reach.high)) + 1


def idle_rates(model: keras.Model, side_px: int) -> tuple[int, ...]:
    """Give the rates of dilated convolutions that reach beyond a small image.

    Such a 3x3 convolution sees zeros on all sides: it is a 1x1 convolution.

    Args:
        model: A functional model that takes (B, H, W, C) of any size.
        side_px: Height or width of the image, the smaller of both.

    Returns:
        Those that are at least as large as the map that they work on, in px of it.

    Example:
        >>> image = keras.Input((None, None, 1))
        >>> x = keras.layers.Conv2D(2, 3, strides=2, padding="same")(image)
        >>> x = keras.layers.Conv2D(2, 3, padding="same", dilation_rate=9)(x)
        >>> model = keras.Model(image, x)
        >>> idle_rates(model, 16), idle_rates(model, 20)
        ((9,), ())
    """
    found = set()
    for (path, _), reach in _walk(model.get_config()).items():
        layer = reduce(
            lambda inner, name: inner.get_layer(name), path.split("/"), model
        )
        rate = _side(getattr(layer, "dilation_rate", 1))
        if rate > 1 and rate * reach.scale >= side_px:
            found.add(rate)
    return tuple(sorted(found))


def _walk(
    config: dict[str, Any], sources: Sequence[Reach] = ()
) -> dict[tuple[str, int], Reach]:
    """Give the reach of every map, by layer and number of its output.

    Maps of a model in the model are among them. All outputs of a layer that is no
    model reach alike, and are told as the first.

    Args:
        config: Of a functional model.
        sources: Reach of each of its inputs; without them, those of an image.
    """
    reaches: dict[tuple[str, int], Reach] = {}
    inputs = iter(sources)
    for layer in config["layers"]:
        name = layer["name"]
        read = [
            reaches.get((source, number), reaches[source, 0])
            for source, _, number in inbound(layer["inbound_nodes"])
        ]
        if not read:
            reaches[name, 0] = next(inputs, Reach())
        elif layer["class_name"] == "Functional":
            inner = _walk(layer["config"], read)
            reaches |= {
                (f"{name}/{own}", k): reach for (own, k), reach in inner.items()
            }
            for number, (own, k) in enumerate(_outputs(layer["config"])):
                reaches[name, number] = inner.get((own, k), inner[own, 0])
        else:
            reaches[name, 0] = _reach_of(layer, read)
    return reaches


def _outputs(config: dict[str, Any]) -> list[tuple[str, int]]:
    """Give layer and number of each output of a model, which Keras lists or not."""
    outputs = config["output_layers"]
    several = outputs if isinstance(outputs[0], list | tuple) else [outputs]
    return [(name, number) for name, _, number in several]


def _reach_of(layer: LayerConfig, sources: list[Reach]) -> Reach:
    kind, settings = layer["class_name"], layer["config"]
    widest = Reach(
        max(s.scale for s in sources),
        min(s.low for s in sources),
        max(s.high for s in sources),
    )
    if kind in POOLS_OF_ALL or (kind == "ResizeLike" and math.isinf(sources[0].high)):
        return WHOLE_IMAGE
    if kind == "ResizeLike":
        image, like = sources
        return _interpolated(image, image.scale / like.scale)
    rule = RULES.get(kind)
    if rule is None and settings.keys() & {"kernel_size", "pool_size"}:
        rule = _windowed
    return widest if rule is None else rule(widest, settings)


def _windowed(reach: Reach, settings: Settings) -> Reach:
    """A convolution or a pool."""
    size = _side(settings.get("kernel_size", settings.get("pool_size")))
    rate = _side(settings.get("dilation_rate", 1))
    stride = _side(settings.get("strides") or size)
    span = rate * (size - 1)
    is_padded = settings.get("padding") == "same"
    before = max(span + 1 - stride, 0) // 2 if is_padded else 0
    scale = reach.scale
    return Reach(
        stride * scale, reach.low - before * scale, reach.high + (span - before) * scale
    )


def _atrous_pooled(reach: Reach, settings: Settings) -> Reach:
    size, rate, scale = settings["pool_size"], settings["rate"], reach.scale
    before = (size // 2 - 1) * rate
    span = (size - 1) * rate
    return Reach(
        scale, reach.low - before * scale, reach.high + (span - before) * scale
    )


def _dilated_pooled(reach: Reach, settings: Settings) -> Reach:
    """A window of 2x2 pixels that moves by one."""
    window = {"pool_size": 2, "dilation_rate": settings["dilation"], "strides": 1}
    return _windowed(reach, window)


def _diagonal(reach: Reach, settings: Settings) -> Reach:
    factor = settings["factor"]
    size = 2 * factor - factor % 2
    kernel = {"kernel_size": size, "strides": factor, "padding": "same"}
    return _transposed(reach, kernel)


def _transposed(reach: Reach, settings: Settings) -> Reach:
    """A transposed convolution: output o reads inputs from (o + p - k + 1) / t on."""
    size, stride = _side(settings["kernel_size"]), _side(settings["strides"])
    is_padded = settings["padding"] == "same"
    before = max(size - stride, 0) // 2 if is_padded else 0
    scale = reach.scale / stride
    low, high = before - size + 1, before
    return Reach(scale, reach.low + low * scale, reach.high + high * scale)


def _repeated(reach: Reach, settings: Settings) -> Reach:
    """Each pixel becomes a square of pixels."""
    keys = ("factor", "size", "strides")
    factor = _side(next(settings[key] for key in keys if key in settings))
    if settings.get("interpolation") == "bilinear":
        return _interpolated(reach, factor)
    scale = reach.scale / factor
    return Reach(scale, reach.low - (factor - 1) * scale, reach.high)


def _interpolated(reach: Reach, factor: float) -> Reach:
    """Bilinear, between pixel centers: two pixels on each axis."""
    scale = reach.scale / factor
    low, high = (0.5 - 1.5 * factor) * scale, (0.5 + 0.5 * factor) * scale
    return Reach(scale, reach.low + low, reach.high + high)


def _padded(reach: Reach, settings: Settings) -> Reach:
    """Output o is input o - p."""
    shift = _side(settings["padding"]) * reach.scale
    return Reach(reach.scale, reach.low - shift, reach.high - shift)


def _side(size: Any) -> int:
    """Give the first number of a size for rows and columns, or of one for both."""
    return int(size) if isinstance(size, int) else _side(size[0])


RULES: dict[str, Callable[[Reach, Settings], Reach]] = {
    "AtrousMaxPooling2D": _atrous_pooled,
    "BedOfNails2D": _repeated,
    "BilinearUpsampling2D": lambda reach, s: _interpolated(reach, s["factor"]),
    "Conv2DTranspose": _transposed,
    "DepthToSpace2D": _repeated,
    "DiagonalConv2DTranspose": _diagonal,
    "DilatedMaxPooling2D": _dilated_pooled,
    "MaxUnpooling2D": _repeated,
    "SymmetricPadding2D": _padded,
    "UpSampling2D": _repeated,
    "ZeroPadding2D": _padded,
}
"""Kind of layer to its rule; what has a kernel or a pool is a window, and anything
else looks at the pixel alone."""

POOLS_OF_ALL = {
    "AdaptiveAveragePooling2D",
    "CompactBilinearPooling2D",
    "GlobalAveragePooling2D",
}
