import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.losses import build_loss
from defectkeras.training.config import TrainingConfig
from defectkeras.training.optimizer import build_groups
from defectkeras.training.step import TrainingStep, total_loss

CONFIG = TrainingConfig(optimizer="sgd", momentum=0.0, weight_decay=0.0)
LOSS = build_loss("ce", num_classes=3)
_RNG = np.random.default_rng(0)
IMAGES = _RNG.uniform(size=(4, 12, 16, 1)).astype(np.float32)
CLASS_MAP = _RNG.integers(-1, 3, (4, 12, 16)).astype(np.int32)
CLASS_MAP[0, :9] = -1  # the parts have different numbers of annotated pixels


@pytest.fixture
def build_step(build_tiny_model):
    def build(*, clip_norm=1e9, **arguments):
        model = build_tiny_model()
        groups = build_groups(model, CONFIG)
        strategy = tf.distribute.get_strategy()
        return TrainingStep(
            model, LOSS, groups, clip_norm=clip_norm, strategy=strategy, **arguments
        )

    return build


def parts(count):
    size = len(IMAGES) // count
    return iter(
        [
            (
                tf.constant(IMAGES[k * size :][:size]),
                tf.constant(CLASS_MAP[k * size :][:size]),
            )
            for k in range(count)
        ]
    )


def direct_gradients(model):
    with tf.GradientTape() as tape:
        loss = LOSS(CLASS_MAP, model(IMAGES, training=True))
    values = tape.gradient(loss, [v.value for v in model.trainable_variables])
    return float(loss), [v.numpy() for v in values]


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("scale", [1.0, 1024.0])
def test_parts_give_the_gradients_of_the_whole_batch(build_step, count, scale):
    step = build_step()
    loss, expected = direct_gradients(step.model)
    gradients = step.gradients(parts(count), count, scale)
    assert gradients.loss == pytest.approx(loss, rel=1e-6)
    norm = np.sqrt(sum((g**2).sum() for g in expected))
    assert gradients.norm == pytest.approx(norm, rel=1e-5)
    for value, wanted in zip(gradients.values, expected, strict=True):
        np.testing.assert_allclose(value.numpy(), wanted, atol=1e-6)


@pytest.mark.parametrize("clip_norm", [1e9, 0.01])
def test_weights_move_against_the_clipped_gradients(build_step, clip_norm):
    step = build_step(clip_norm=clip_norm)
    before = [v.numpy() for v in step.variables]
    gradients = step.gradients(parts(1), 1, 1.0)
    step.apply(gradients, rate=0.5)
    factor = min(1.0, clip_norm / gradients.norm)
    for old, new, g in zip(before, step.variables, gradients.values, strict=True):
        expected = old - 0.5 * factor * g.numpy()
        np.testing.assert_allclose(new.numpy(), expected, atol=1e-6)


def test_batch_without_an_annotated_pixel_changes_nothing(build_step):
    step = build_step()
    empty = tf.constant(IMAGES), tf.fill(CLASS_MAP.shape, -1)
    gradients = step.gradients(iter([empty]), 1, 1.0)
    assert (gradients.loss, gradients.norm) == (0.0, 0.0)


@pytest.mark.slow
def test_xla_gives_the_same_gradients(build_step):
    plain, compiled = build_step(), build_step(jit=True)
    a, b = (step.gradients(parts(1), 1, 1.0) for step in (plain, compiled))
    assert a.norm == pytest.approx(b.norm, rel=1e-4)
    for x, y in zip(a.values, b.values, strict=True):
        np.testing.assert_allclose(x.numpy(), y.numpy(), atol=1e-5)


def test_auxiliary_heads_see_every_nth_pixel():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(2, 8, 12, 3)).astype(np.float32)
    small = rng.normal(size=(2, 4, 6, 3)).astype(np.float32)
    class_map = CLASS_MAP[:2, :8, :12]
    value = total_loss(LOSS, class_map, [logits, small, logits], 0.4)
    main, coarse = LOSS(class_map, logits), LOSS(class_map[:, ::2, ::2], small)
    expected = float(main) + 0.4 * (float(coarse) + float(main)) / 2
    assert float(value) == pytest.approx(expected, rel=1e-6)
    assert float(total_loss(LOSS, class_map, logits, 0.4)) == float(main)


def test_rates_differ_by_group():
    image = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(2, 3, padding="same", name="encoder_conv")(image)
    model = keras.Model(image, keras.layers.Conv2D(3, 1, name="logits")(x))
    config = TrainingConfig(
        optimizer="sgd", momentum=0.0, weight_decay=0.0, encoder_rate_factor=0.1
    )
    groups = build_groups(model, config)
    step = TrainingStep(
        model, LOSS, groups, clip_norm=1e9, strategy=tf.distribute.get_strategy()
    )
    before = [v.numpy() for v in step.variables]
    gradients = step.gradients(parts(1), 1, 1.0)
    step.apply(gradients, rate=1.0)
    for old, new, g in zip(before, step.variables, gradients.values, strict=True):
        factor = 0.1 if new.path.startswith("encoder") else 1.0
        np.testing.assert_allclose(new.numpy(), old - factor * g.numpy(), atol=1e-6)
