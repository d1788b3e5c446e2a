"""The mean of several models' probabilities, as logits."""

import math
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="defectkeras")
class MeanProbability(keras.layers.Layer):
    """Average the probabilities of several models, and give them as logits.

    With probabilities `p_m` of M models the result has the softmax (or, for one map
    of logits, the sigmoid) `p = mean(p_m)`. It is computed in the logarithm, in
    float32, so that no probability becomes 0: `ln p = logsumexp_m(ln p_m) - ln M`.

    Example:
        >>> first, second = ops.zeros((1, 1)), ops.full((1, 1), 40.0)
        >>> logit = MeanProbability()([first, second])  # of 0.5 and 1
        >>> round(float(ops.sigmoid(logit)[0, 0]), 4)
        0.75
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, logits: list[Any]) -> Any:
        """Give logits (B, H, W, K) from those of each model, of the same shape."""
        if logits[0].shape[-1] == 1:
            defect = ops.logsumexp(ops.stack([ops.log_sigmoid(x) for x in logits]), 0)
            matrix = ops.logsumexp(ops.stack([ops.log_sigmoid(-x) for x in logits]), 0)
            return defect - matrix
        logs = ops.stack([ops.log_softmax(x, axis=-1) for x in logits])
        return ops.logsumexp(logs, axis=0) - math.log(len(logits))

    def compute_output_shape(self, input_shape: list[Any]) -> Any:
        """Give the shape of one of them."""
        return input_shape[0]
