"""The layers of Keras and tensorflow-addons that are known, as layers of Keras 3."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from defectkeras.core.errors import ModelError
from defectkeras.models.layers import (
    BilinearUpsampling2D,
    MaxPoolingWithIndices,
    MaxUnpooling2D,
)

Config = Mapping[str, Any]

_SAME_IN_KERAS_3 = (
    *("Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D"),
    *("MaxPooling2D", "AveragePooling2D", "ZeroPadding2D"),
    *("Cropping2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "Dense"),
    *(
        "BatchNormalization",
        "LayerNormalization",
        "GroupNormalization",
        "UnitNormalization",
        "Normalization",
    ),
    *("Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax", "ThresholdedReLU"),
    *("Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "Rescaling"),
    *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"),
    *("AdaptiveAveragePooling2D", "AdaptiveMaxPooling2D", "Identity"),
)

# Hard sigmoid is another function in Keras 3 than it was in Keras 2, so it is not here.
ACTIVATIONS = {
    **{name: name for name in ("linear", "relu", "relu6", "elu", "selu", "gelu")},
    **{name: name for name in ("softmax", "sigmoid", "tanh", "softplus", "softsign")},
    **{name: name for name in ("leaky_relu", "mish")},
    "swish": "silu",
    "silu": "silu",
    "hard_silu": "hard_silu",
    "hard_swish": "hard_silu",
}
_ACTIVATION_LAYERS = ("LeakyReLU", "ReLU", "ELU")  # within a layer
_HARD_SIGMOID_OF_KERAS_3 = "hard_sigmoid of Keras 3"

_UNUSED = ("_initializer", "_regularizer", "_constraint")  # without training
_HARMLESS = (None, False, 1)  # values of an argument that Keras 3 no longer has
_RENAMED = ("LeakyReLU", "alpha")
_SHAPES = ("batch_input_shape", "batch_shape")
_OURS = "defectkeras>"


def read_layer(
    class_name: str, config: Config, *, of_keras_3: bool = False
) -> keras.layers.Layer:
    """Make the layer of Keras 3 that computes what a saved one computed.

    Args:
        class_name: As it was saved, such as "Addons>MaxUnpooling2D".
        config: Its arguments.
        of_keras_3: Whether Keras 3 saved it.

    Raises:
        ModelError: When the layer or one of its arguments is not known; nothing is
            guessed.
    """
    if class_name.startswith(_OURS):
        return _read_ours(class_name, config)
    short = class_name.removeprefix("Addons>")
    read = _READERS.get(class_name, _READERS.get(short))
    if read is None:
        raise ModelError(
            f"The layer {config.get('name')!r} is of the class {class_name!r}, which "
            "has no equivalent here or could run code of its own. If it does nothing "
            f"but what --scale and --offset can, --skip-layer {config.get('name')} "
            "leaves it out; else replace it before saving. Known are: "
            f"{', '.join(sorted(_READERS))}."
        )
    if of_keras_3 and config.get("activation") == "hard_sigmoid":
        config = {**config, "activation": _HARD_SIGMOID_OF_KERAS_3}
    if config.get("data_format") == "channels_first":
        raise _unknown("data_format", "channels_first", config)
    return read(short, config)


def _read_same(class_name: str, config: Config) -> keras.layers.Layer:
    layer_class = getattr(keras.layers, class_name)
    known = inspect.signature(layer_class.__init__).parameters
    arguments: dict[str, Any] = {"name": config["name"]}
    for key, value in config.items():
        new_key = "negative_slope" if (class_name, key) == _RENAMED else key
        if key.endswith(_UNUSED) or key in ("name", "dtype", "trainable"):
            continue
        if key == "activation":
            arguments[key] = _read_activation(value, config)
        elif new_key in known:
            arguments[new_key] = _require_plain(value, key, config)
        elif key not in _SHAPES and value not in _HARMLESS:
            raise _unknown(key, value, config)
    if isinstance(arguments.get("axis"), list) and len(arguments["axis"]) == 1:
        arguments["axis"] = arguments["axis"][0]
    return layer_class(**arguments)


def _read_ours(class_name: str, config: Config) -> keras.layers.Layer:
    """Make a layer of the models here."""
    layer_class = keras.saving.get_registered_object(class_name)
    if not (
        isinstance(layer_class, type) and issubclass(layer_class, keras.layers.Layer)
    ):
        raise ModelError(
            f"The layer {config.get('name')!r} is of the class {class_name!r}, which "
            "is not here. Import it with the version that has it."
        )
    plain = {k: v for k, v in config.items() if k not in ("dtype", "trainable")}
    return layer_class(**{k: _require_plain(v, k, config) for k, v in plain.items()})


def _read_dropout(class_name: str, config: Config) -> keras.layers.Layer:
    """Make what does nothing but in training."""
    return keras.layers.Dropout(config["rate"], name=config["name"])


def _read_reshape(class_name: str, config: Config) -> keras.layers.Layer:
    """Make (B, C) an image of one pixel; other shapes are bound to one size."""
    shape = config["target_shape"]
    if len(shape) != 3 or list(shape[:2]) != [1, 1]:
        raise ModelError(
            f"The layer {config.get('name')!r} must make (1, 1, C), for images are of "
            f"any size. Received: {shape}. Where it only flattens the result, "
            f"--skip-layer {config.get('name')} leaves it out."
        )
    return keras.layers.Reshape(tuple(shape), name=config["name"])


def make_upsampling(
    name: str, factors: Sequence[int], interpolation: str
) -> keras.layers.Layer:
    """Make the layer that magnifies; that of Keras is bilinear at known sizes only.

    Args:
        name: Of the layer.
        factors: Rows and columns for each one.
        interpolation: "nearest" or "bilinear".

    Raises:
        ModelError: When it is another, or not the same for rows and columns.
    """
    if interpolation == "nearest":
        return keras.layers.UpSampling2D(tuple(factors), name=name)
    if interpolation == "bilinear" and len(set(factors)) == 1:
        return BilinearUpsampling2D(factors[0], name=name)
    raise ModelError(
        f"The layer {name!r} must magnify nearest, or bilinear by one factor. "
        f"Received: {interpolation} by {tuple(factors)}."
    )


def _read_upsampling(class_name: str, config: Config) -> keras.layers.Layer:
    interpolation = config.get("interpolation", "nearest")
    return make_upsampling(config["name"], config["size"], interpolation)


def _read_instance_norm(class_name: str, config: Config) -> keras.layers.Layer:
    return _read_same("GroupNormalization", {**config, "groups": -1})


def _read_batch_norm_of_many(class_name: str, config: Config) -> keras.layers.Layer:
    """Make what differs in training alone, where it looks at all processors."""
    return _read_same("BatchNormalization", config)


def _read_weight_norm(class_name: str, config: Config) -> keras.layers.Layer:
    """Make the wrapped layer; its kernel comes folded, see `weights.py`."""
    inner = config["layer"]
    return read_layer(inner["class_name"], {**inner["config"], "name": config["name"]})


def _read_unpooling(class_name: str, config: Config) -> keras.layers.Layer:
    return MaxUnpooling2D(
        tuple(config["pool_size"]),
        tuple(config["strides"]),
        config["padding"].lower(),
        name=config["name"],
    )


_READERS: dict[str, Callable[[str, Config], keras.layers.Layer]] = {
    **dict.fromkeys(_SAME_IN_KERAS_3, _read_same),
    "FixedDropout": _read_dropout,  # of the package efficientnet
    "Reshape": _read_reshape,
    "UpSampling2D": _read_upsampling,
    "SyncBatchNormalization": _read_batch_norm_of_many,
    # Others have layers of these names that compute something else.
    "Addons>InstanceNormalization": _read_instance_norm,
    "Addons>MaxUnpooling2D": _read_unpooling,
    "Addons>WeightNormalization": _read_weight_norm,
}


def read_pooling(name: str, arguments: Config) -> MaxPoolingWithIndices:
    """Make the pooling of a call of `tf.nn.max_pool_with_argmax`.

    Args:
        name: Name of the layer.
        arguments: Those of the call.

    Raises:
        ModelError: When an argument is not known.
    """
    known = {"ksize", "strides", "padding", "output_dtype", "name"}
    for key, value in arguments.items():
        if key not in known and value not in (None, False, "NHWC"):
            raise _unknown(key, value, {"name": name})
    pool, strides = (_pair(arguments[key]) for key in ("ksize", "strides"))
    return MaxPoolingWithIndices(pool, strides, arguments["padding"].lower(), name=name)


def _pair(value: Any) -> tuple[int, int]:
    """Read 2, [2], [2, 2] or [1, 2, 2, 1]."""
    numbers = [value] if isinstance(value, int) else list(value)
    numbers = numbers[1:3] if len(numbers) == 4 else numbers
    return numbers[0], numbers[-1]


def _read_activation(value: Any, config: Config) -> str | keras.layers.Layer:
    if isinstance(value, Mapping) and value.get("class_name") in _ACTIVATION_LAYERS:
        return read_layer(value["class_name"], value["config"])
    if value == _HARD_SIGMOID_OF_KERAS_3:
        return "hard_sigmoid"
    if not isinstance(value, str) or value not in ACTIVATIONS:
        raise _unknown("activation", value, config)
    return ACTIVATIONS[value]


def _require_plain(value: Any, key: str, config: Config) -> Any:
    """Let numbers, text and lists of numbers pass, nothing that could be built."""
    items = value if isinstance(value, list) else [value]
    for item in items:
        inner = item if isinstance(item, list) else [item]
        if not all(x is None or isinstance(x, int | float | str) for x in inner):
            raise _unknown(key, value, config)
    return value


def _unknown(key: str, value: Any, config: Config) -> ModelError:
    return ModelError(
        f"The layer {config.get('name')!r} has {key}={value!r}, which cannot be "
        "imported. Replace it before saving."
    )
