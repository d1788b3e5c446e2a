"""Every architecture gives float32 logits under every policy, near those of float32."""

import keras
import numpy as np
import pytest
import tensorflow as tf


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_logits_are_float32_under_every_policy(case, draw_image, policy):
    keras.utils.set_random_seed(3)
    model = case.build()
    image = draw_image(*case.fit(64, 72))
    if case.is_deep:  # the first averages let nothing through
        train = tf.function(lambda: model(image, training=True))
        for _ in range(40):
            train()
    expected = model(image).numpy()
    keras.config.set_dtype_policy(policy)
    other = case.build()
    other.set_weights(model.get_weights())
    logits = other(image)
    assert logits.dtype == "float32"
    coarser = {"mixed_float16": 1, "mixed_bfloat16": 4}[policy]  # 8 in one rounding
    error = np.abs(logits - expected).mean()
    assert error < coarser * case.rounding * expected.std()
