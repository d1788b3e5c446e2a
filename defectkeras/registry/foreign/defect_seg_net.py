"""The TensorFlow 1 checkpoints that DefectSegNet's authors released.

Layer i of the table in `models/defect_seg_net.py` lies in the scope variable_scope<i>:
conv2d/kernel and conv2d/bias (none for a pool), and bn_<i>/beta, gamma, moving_mean
and moving_variance. The released graphs are the variant "released". They took raw
grey levels of 0 to 255, and normalized each image by statistics of its own tiles,
where a model here uses the averages that were stored.
"""

import re
from pathlib import Path

import keras
import tensorflow as tf

from defectkeras.core.errors import ModelError
from defectkeras.models.defect_seg_net import build_defect_seg_net
from defectkeras.registry.foreign.adaptation import Adaptation

LAYERS = (
    *("dense_block_1_conv_1", "dense_block_1_conv_2", "pool_1"),
    *("dense_block_2_conv_1", "dense_block_2_conv_2", "pool_2"),
    *("dense_block_3_conv_1", "dense_block_3_conv_2", "pool_3"),
    *("dense_block_4_conv_1", "dense_block_4_conv_2", "upsample_1"),
    *("dense_block_5_conv_1", "dense_block_5_conv_2", "upsample_2"),
    *("dense_block_6_conv_1", "dense_block_6_conv_2", "upsample_3"),
    *("dense_block_7_conv_1", "output_conv"),
)
"""The layers in the order of the table, number 1 first."""

_VARIABLE = re.compile(
    r"variable_scope(\d+)/(?:.*/)?(kernel|bias|beta|gamma|moving_mean|moving_variance)"
)


def read_defect_seg_net(path: Path, adaptation: Adaptation) -> keras.Model:
    """Read a released checkpoint into DefectSegNet, variant "released".

    Args:
        path: The checkpoint without an ending, or its .index file.
        adaptation: What becomes of grey levels first; times 255 for the authors'.

    Returns:
        (B, H, W, 1) to logits (B, H, W, 1) float32.

    Raises:
        ModelError: When it cannot be read, or a variable is missing or has another
            shape.
    """
    prefix = path.with_suffix("") if path.suffix == ".index" else path
    try:
        checkpoint = tf.train.load_checkpoint(str(prefix))
    except (tf.errors.OpError, ValueError) as error:
        raise ModelError(f"{prefix} must be a checkpoint, but: {error}") from error
    names = {}
    for name in checkpoint.get_variable_to_shape_map():
        match = _VARIABLE.fullmatch(name)
        if match:
            names[int(match[1]), match[2]] = name
    network = build_defect_seg_net(num_classes=1, variant="released")
    for number, layer_name in enumerate(LAYERS, start=1):
        norm = "logits" if layer_name == "output_conv" else f"{layer_name}_norm"
        for weight in (
            *network.get_layer(layer_name).weights,
            *network.get_layer(norm).weights,
        ):
            name = names.get((number, weight.name))
            found = None if name is None else checkpoint.get_tensor(name)
            if found is None or found.shape != tuple(weight.shape):
                received = "none" if found is None else f"{name!r} of {found.shape}"
                raise ModelError(
                    f"{prefix} must have variable_scope{number}/.../{weight.name} of "
                    f"the shape {tuple(weight.shape)}, for layer {number} of "
                    f"DefectSegNet. Received: {received}."
                )
            weight.assign(found)
    image = keras.Input((None, None, 1), name="image")
    output = network(adaptation.adapt(image, channels=1))
    return keras.Model(image, output, name="defectsegnet_released")
