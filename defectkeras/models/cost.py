"""What a network costs: its operations, counted in its graph."""

import keras
import tensorflow as tf

SIDE_PX = 512  # a multiple of every stride


def count_gflops_per_megapixel(model: keras.Model) -> float:
    """Count the floating-point operations of a forward pass.

    TensorFlow's own count over the graph: a multiplication and an addition are two;
    what only moves values, as unpooling does, is none.

    Args:
        model: (B, H, W, 1) to logits, of any height and width.

    Returns:
        10^9 operations for 10^6 pixels.

    Example:
        >>> image = keras.Input((None, None, 1))
        >>> pointwise = keras.layers.Conv2D(500, 1, use_bias=False)(image)
        >>> count_gflops_per_megapixel(keras.Model(image, pointwise))
        1.0
    """
    forward = tf.function(lambda image: model(image, training=False))
    image = tf.TensorSpec((1, SIDE_PX, SIDE_PX, 1), tf.float32)
    graph = forward.get_concrete_function(image).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    profile = tf.compat.v1.profiler.profile(graph, options=options)
    return float(profile.total_float_ops) / SIDE_PX**2 / 1e3
