"""What every architecture promises of its training, for every case."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.losses import build_loss
from defectkeras.metrics import class_map_of_logits, confusion_counts, score_counts
from defectkeras.training.optimizer import freeze_encoder

pytestmark = pytest.mark.filterwarnings("ignore:The rates")  # images here are small


def draw_discs(height, width, scale=1):
    """Draw discs of two classes on a grey ground: (H, W) image and class map."""
    class_map = np.zeros((height, width), dtype=np.int32)
    y, x = np.mgrid[:height, :width] / scale
    for row, column, radius, index in [
        (14, 16, 7, 1),
        (40, 22, 9, 2),
        (20, 52, 10, 1),
        (48, 62, 6, 2),
    ]:
        class_map[(y - row) ** 2 + (x - column) ** 2 < radius**2] = index
    grey = np.array([0.5, 0.2, 0.8])[class_map]
    noise = np.random.default_rng(4).normal(0, 0.05, class_map.shape)
    return (grey + noise).astype(np.float32), class_map


def test_every_trainable_weight_has_a_gradient(case):
    """In inference: a bias before a normalization has none over the batch."""
    keras.utils.set_random_seed(3)
    model = case.build()
    image, class_map = draw_discs(*case.fit(64, 72))
    with tf.GradientTape() as tape:
        logits = model(image[None, :, :, None], training=False)
        loss = build_loss("ce", num_classes=3)(class_map[None], logits)
    gradients = tape.gradient(loss, [w.value for w in model.trainable_weights])
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all(), weight.path
        assert np.any(np.asarray(gradient) != 0), weight.path


@pytest.mark.slow
def test_xla_trains_alike(case, ramp_model):
    """Nothing is dropped, since XLA draws other numbers than TensorFlow.

    Encoders are frozen, or compiling would take most of the time of the tests; the
    gradients of one are asked for in tests/models/encoders/test_build.py.
    """
    if case.is_deep:
        freeze_encoder(ramp_model, is_frozen=True)
    for layer in ramp_model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    image, class_map = draw_discs(*case.fit(32, 40))
    weights, losses = ramp_model.get_weights(), {}
    for jit_compile in (False, True):
        ramp_model.set_weights(weights)
        ramp_model.compile(
            keras.optimizers.SGD(0.01),
            build_loss("ce + dice", num_classes=3),
            jit_compile=jit_compile,
        )
        batch = (image[None, :, :, None], class_map[None])
        losses[jit_compile] = [ramp_model.train_on_batch(*batch) for _ in range(3)]
    np.testing.assert_allclose(losses[False], losses[True], rtol=1e-3)


@pytest.mark.slow
def test_overfits_one_tiny_micrograph(overfitting):
    case, num_classes = overfitting
    keras.utils.set_random_seed(1)
    height, width = case.fit(64 * case.scale, 80 * case.scale)
    image, class_map = draw_discs(height, width, case.scale)
    class_map = np.minimum(class_map, 1) if num_classes == 1 else class_map
    batch = (image[None, :, :, None], class_map[None])
    model = case.build((height, width, 1), num_classes=num_classes)
    model.compile(
        keras.optimizers.Adam(case.rate, global_clipnorm=case.clip_norm),
        build_loss("ce + dice", num_classes=num_classes),
    )
    for _ in range(case.most_steps):
        if model.train_on_batch(*batch) < case.enough:
            break
    logits = model(batch[0], training=not case.settled).numpy()
    counts = confusion_counts(
        batch[1], class_map_of_logits(logits), num_classes=max(num_classes, 2)
    )
    assert score_counts(counts).iou.min() > case.least_iou
