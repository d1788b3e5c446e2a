"""One seed gives equal weights and gradients of every architecture, and equal runs."""

import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import LoadedExample
from defectkeras.losses import build_loss
from defectkeras.models.build import build_model
from defectkeras.training.config import TrainingConfig
from defectkeras.training.environment import seed_everything
from defectkeras.training.train import train

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "void", "region"),
        DefectClass(2, "line", "line"),
    )
)


def draw_example():
    class_map = np.zeros((70, 92), np.int32)
    class_map[10:30, 20:50], class_map[50:53] = 1, 2
    noise = np.random.default_rng(0).normal(0, 0.2, class_map.shape)
    return LoadedExample(Micrograph(noise + class_map, Calibration(), "a"), class_map)


@pytest.mark.slow
def test_same_seed_gives_equal_gradients(architecture, small_arguments):
    """Operation by operation: a graph of all steps takes many times as long to make."""
    example = draw_example()
    image = tf.constant(example.micrograph.pixels[None, :64, :64, None], tf.float32)
    class_map = example.class_map[None, :64, :64]
    loss = build_loss("0.5*ce + 0.5*dice", num_classes=3)
    found = []
    for _ in range(2):
        seed_everything(5)
        model = build_model(architecture, num_classes=3, **small_arguments)
        start = model.get_weights()
        with tf.GradientTape() as tape:
            value = loss(class_map, model(image, training=True))
        gradients = tape.gradient(value, [w.value for w in model.trainable_weights])
        found.append([*start, *(g.numpy() for g in gradients)])
    assert any((g.numpy() != 0).any() for g in gradients)
    for first, second in zip(*found, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.slow
def test_same_seed_gives_equal_runs(tmp_path):
    """Of a network that unpools maxima, and drops out."""
    config = TrainingConfig(
        epochs=1,
        steps_per_epoch=2,
        batch_size=2,
        patch_size=64,
        warmup_epochs=0,
        precision="float32",
        seed=5,
    )
    weights = []
    for name in ("first", "second"):
        seed_everything(config.seed)
        model = build_model("segnet_basic", num_classes=3, filters=2, bayesian=True)
        before = model.get_weights()
        examples = [draw_example()], [draw_example()]
        run = train(model, *examples, SCHEME, config, run_folder=tmp_path / name)
        weights.append(run.model.get_weights())
    assert any((a != b).any() for a, b in zip(before, weights[1], strict=False))
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)
