"""Every architecture's graph only computes, folded as it is when it is published."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.models.build import build_model, model_stride
from defectkeras.registry.saved_model.folding import fold_batch_norms
from defectkeras.registry.saved_model.operations import find_unusual_operations

IMAGE = tf.TensorSpec((None, None, None, 1), tf.float32, "image")


@pytest.mark.slow
def test_saved_model_only_computes(architecture, small_arguments, tmp_path):
    model = fold_batch_norms(
        build_model(architecture, num_classes=3, **small_arguments)
    )
    archive = keras.export.ExportArchive()
    archive.add_endpoint("tiles", lambda x: model(x, training=False), [IMAGE])
    archive.write_out(tmp_path, verbose=False)
    assert find_unusual_operations(tmp_path) == ()
    stride = model_stride(model)
    tile = np.random.default_rng(3).random((1, 2 * stride, 3 * stride, 1))
    tile = tf.constant(tile, tf.float32)
    (served,) = tf.saved_model.load(tmp_path).signatures["tiles"](tile).values()
    np.testing.assert_allclose(served, model(tile), rtol=1e-4, atol=1e-5)
