"""A checkpoint with the released names, written by TensorFlow 1's own saver."""

import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.errors import ModelError
from defectkeras.models.defect_seg_net import build_defect_seg_net
from defectkeras.registry.foreign.adaptation import Adaptation
from defectkeras.registry.foreign.defect_seg_net import LAYERS, read_defect_seg_net

RELEASED = Adaptation(scale=(255.0,))


def released_variables(model):
    """Give each variable of a model under its released name."""
    arrays = {}
    for number, layer in enumerate(LAYERS, start=1):
        scope = f"variable_scope{number}"
        norm = "logits" if layer == "output_conv" else f"{layer}_norm"
        kind = "conv2d_transpose" if layer.startswith("upsample") else "conv2d"
        for weight in model.get_layer(layer).weights:
            arrays[f"{scope}/{kind}/{weight.name}"] = weight.numpy()
        for weight in model.get_layer(norm).weights:
            arrays[f"{scope}/bn_{number}/{weight.name}"] = weight.numpy()
    return arrays


def write_checkpoint(prefix, arrays):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        for name, value in arrays.items():
            v1.Variable(value, name=name)
        v1.Variable(np.zeros(3), name="variable_scope1/conv2d/kernel/Adam")
        v1.Variable(7, name="global_step")
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(prefix), write_meta_graph=False)


@pytest.fixture
def arrays():
    model = build_defect_seg_net(num_classes=1, variant="released")
    random = np.random.default_rng(1)
    for weight in model.weights:
        values = random.normal(0, 0.2, weight.shape)
        if weight.name in ("gamma", "moving_variance"):
            values = random.uniform(0.5, 1.5, weight.shape)
        weight.assign(values)
    return model, released_variables(model)


@pytest.mark.parametrize("ending", ["", ".index"])
def test_gives_what_the_network_gave(arrays, tmp_path, ending):
    model, variables = arrays
    write_checkpoint(tmp_path / "checkpoint.ckpt", variables)
    read = read_defect_seg_net(tmp_path / f"checkpoint.ckpt{ending}", RELEASED)
    image = np.random.default_rng(2).random((1, 24, 32, 1), dtype=np.float32)
    np.testing.assert_allclose(read(image), model(255 * image), rtol=1e-4, atol=1e-4)


def test_missing_and_misshapen_variables_are_told(arrays, tmp_path):
    _, variables = arrays
    name = "variable_scope12/conv2d_transpose/kernel"
    kernel = variables[name]
    variables[name] = kernel.transpose(0, 1, 3, 2)
    write_checkpoint(tmp_path / "turned", variables)
    with pytest.raises(ModelError, match=r"\(2, 2, 32, 233\), for layer 12.*233, 32"):
        read_defect_seg_net(tmp_path / "turned", RELEASED)
    del variables[name]
    variables["other"] = kernel
    write_checkpoint(tmp_path / "missing", variables)
    with pytest.raises(ModelError, match=r"variable_scope12/.../kernel.*none"):
        read_defect_seg_net(tmp_path / "missing", RELEASED)
    with pytest.raises(ModelError, match="must be a checkpoint"):
        read_defect_seg_net(tmp_path / "nothing", RELEASED)
