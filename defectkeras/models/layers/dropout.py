"""Dropout that can stay on when a model predicts."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="defectkeras")
class MonteCarloDropout(keras.layers.Dropout):
    """Drop features in training, and in prediction while `sampling` is set.

    In between it is an ordinary `keras.layers.Dropout`: what a model predicts does
    not depend on chance until `models.monte_carlo` asks for samples.

    Attributes:
        sampling: Whether features are dropped in prediction, too.
    """

    sampling = False

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop, or pass the inputs on."""
        return super().call(inputs, training=training or self.sampling)
