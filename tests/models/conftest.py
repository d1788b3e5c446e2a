import keras
import pytest


@pytest.fixture
def undrawn_weights(monkeypatch):
    """Let weights be 0: drawing those of a whole network takes most of its building."""

    def zeros(initializer, shape, dtype=None, **_):
        return keras.ops.zeros(shape, dtype)

    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", zeros)
