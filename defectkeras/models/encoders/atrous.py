"""Dense feature maps from a network that was made to classify images.

A classifier halves its maps five times, to 1/32. For segmentation the last strides
are removed and what follows looks at pixels farther apart ("atrous", with holes),
so that the same weights compute the same values at more places: every second row
and column of the dense map is the map of the classifier.

The rule is that of DeepLab's own code: walk along the network; where a stride
would exceed the output stride, take it away and multiply the rate of all that
follows by it. The layer that had the stride keeps the rate from before.

A functional Keras model's configuration is a plain graph, so the rule is written
on it: strides, dilation rates and paddings change, names and weights stay.

L.-C. Chen, G. Papandreou, F. Schroff, H. Adam, "Rethinking atrous convolution for
semantic image segmentation" (2017), https://doi.org/10.48550/arXiv.1706.05587
"""

from typing import Any

import keras

from defectkeras.models.encoders.graph import LayerConfig, inbound
from defectkeras.models.layers.atrous_pooling import AtrousMaxPooling2D


def make_atrous(layers: list[LayerConfig], output_stride: int) -> dict[int, str]:
    """Remove the strides beyond an output stride, in place.

    Args:
        layers: Of a functional model; convolutions with a stride have no padding
            of their own, or stay as they are.
        output_stride: 1, 2, 4, ...: by how much the smallest map may be smaller
            than the image.

    Returns:
        Each stride to the name of the last layer that gives a map of it.
    """
    by_name = {layer["name"]: layer for layer in layers}
    strides: dict[str, int] = {}
    rates: dict[str, int] = {}
    last: dict[int, str] = {}
    for layer in layers:
        name, settings = layer["name"], layer["config"]
        sources = [history[0] for history in inbound(layer["inbound_nodes"])]
        stride = max((strides[s] for s in sources), default=1)
        rate = max((rates[s] for s in sources), default=1)
        step = _side(settings.get("strides", 1))
        is_removed = stride * step > output_stride
        if is_removed:
            _remove_stride(layer, by_name[sources[0]], rate)
        elif rate > 1 and _side(settings.get("kernel_size", 1)) > 1:
            settings["dilation_rate"] = (rate, rate)
        strides[name] = stride if is_removed else stride * step
        rates[name] = rate * step if is_removed else rate
        if layer["class_name"] not in ("InputLayer", "ZeroPadding2D"):
            last[strides[name]] = name
    return last


def widen_multi_grid(layers: list[LayerConfig], names: dict[str, int]) -> None:
    """Multiply the rates of some convolutions, in place.

    Args:
        layers: Of a functional model.
        names: Name of a convolution to the factor of its dilation rate.
    """
    for layer in layers:
        factor = names.get(layer["name"], 1)
        if factor > 1:
            rate = factor * _side(layer["config"]["dilation_rate"])
            layer["config"]["dilation_rate"] = (rate, rate)


def _remove_stride(layer: LayerConfig, source: LayerConfig, rate: int) -> None:
    """Compute at every pixel what the layer computed at some."""
    settings = layer["config"]
    if layer["class_name"] == "MaxPooling2D":
        pool = AtrousMaxPooling2D(
            _side(settings["pool_size"]), rate, name=settings["name"]
        )
        layer |= keras.saving.serialize_keras_object(pool)
        return
    settings["strides"] = (1, 1)
    kernel = _side(settings["kernel_size"])
    if kernel == 1:
        return
    if source["class_name"] != "ZeroPadding2D":
        raise ValueError(
            f"The padding of {layer['name']} must be a layer of its own. Received: "
            f"{source['name']} before it."
        )
    settings["dilation_rate"] = (rate, rate)
    before = _side(source["config"]["padding"][0]) * rate
    sides = (before, (kernel - 1) * rate - before)
    source["config"]["padding"] = (sides, sides)


def _side(size: Any) -> int:
    """Give a size that is the same for rows and columns, or is told once."""
    return int(size if isinstance(size, int) else size[0])
