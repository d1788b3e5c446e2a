"""The recipes, as the loop follows them; resume is in test_checkpoint.py."""

import dataclasses

import keras
import numpy as np
import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.training.checkpoint import CHECKPOINT
from defectkeras.training.config import TrainingConfig
from defectkeras.training.precision import with_policy
from defectkeras.training.run_folder import BEST_WEIGHTS
from defectkeras.training.train import train

pytestmark = pytest.mark.usefixtures("no_pictures")

CONFIG = TrainingConfig(epochs=2, steps_per_epoch=2, batch_size=2, patch_size=32)


def build_model(*, heads=1, first=None):
    """An encoder and one or two heads, the second at half the resolution."""
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 1))
    x = first(image) if first else image
    x = keras.layers.Conv2D(4, 3, padding="same", name="encoder_conv")(x)
    x = keras.layers.MaxPooling2D(name="encoder_pool")(x)
    coarse = keras.layers.Conv2D(3, 1, dtype="float32", name="auxiliary_logits")(x)
    x = keras.layers.UpSampling2D(name="up")(x)
    head = keras.layers.Conv2D(3, 3, padding="same", dtype="float32", name="logits")
    return keras.Model(image, [head(x), coarse][:heads], name="small")


@pytest.fixture
def run_training(scheme, draw_example, tmp_path):
    def run(model=None, on_progress=None, **settings):
        return train(
            model or build_model(),
            [draw_example((60, 84))],
            [draw_example((45, 61), seed=2)],
            scheme,
            dataclasses.replace(CONFIG, **settings),
            run_folder=tmp_path / "run",
            on_progress=on_progress,
        )

    return run


def test_auxiliary_heads_learn_and_are_left_behind(run_training):
    model = build_model(heads=2)
    before = model.get_layer("auxiliary_logits").kernel.numpy()
    run = run_training(model, warmup_epochs=0)
    assert (model.get_layer("auxiliary_logits").kernel.numpy() != before).any()
    assert run.model.output_shape == (None, None, None, 3)
    assert "auxiliary_logits" not in [layer.name for layer in run.model.layers]


@pytest.mark.parametrize("is_nested", [False, True])
def test_frozen_encoder_learns_later(run_training, is_nested):
    model, kernels = build_model(), []
    if is_nested:
        pooled = model.get_layer("encoder_pool").output
        encoder = keras.Model(model.inputs[0], pooled, name="encoder")
        image = keras.Input((None, None, 1))
        x = model.get_layer("up")(encoder(image))
        model = keras.Model(image, model.get_layer("logits")(x), name="nested")
    kernel = next(v for v in model.variables if "encoder_conv/kernel" in v.path)

    def on_progress(progress):
        kernels.append(kernel.numpy())

    first = kernel.numpy()
    run_training(model, on_progress, frozen_epochs=1, encoder_rate_factor=0.1)
    for frozen in kernels[:3]:  # two steps and a validation
        np.testing.assert_array_equal(frozen, first)
    assert (kernels[3] != first).any()


def test_average_is_what_is_kept(run_training, tmp_path):
    model = build_model()
    run_training(model, ema_momentum=0.5, epochs=1)
    with np.load(tmp_path / "run" / CHECKPOINT) as file:
        averages = [file[f"average/{k}"] for k in range(4)]
        last = [file[f"model/{k}"] for k in range(4)]
    kept = build_model()
    kept.load_weights(tmp_path / "run" / BEST_WEIGHTS)
    for average, own, weight in zip(averages, last, kept.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, average)
        assert (average != own).any()


@keras.saving.register_keras_serializable(package="defectkeras_tests")
class Overflow(keras.layers.Layer):
    """Lets gradients overflow while the loss stays finite, for some steps."""

    def __init__(self, steps, **arguments):
        super().__init__(**arguments)
        self.steps = steps

    def build(self, shape):
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.factor = self.add_weight(shape=(), initializer="ones", name="factor")

    def call(self, x, training=False):
        if training:
            self.count.assign_add(1)
            zero = x * 0.0
            # the derivative of sqrt at 0 is infinite
            bad = keras.ops.sqrt(keras.ops.abs(self.factor - 1.0))
            x = x + keras.ops.where(self.count <= self.steps, bad, 0.0) * (1.0 + zero)
        return x


def test_overflow_of_float16_is_skipped(run_training):
    with with_policy("mixed_float16"):
        model = build_model(first=Overflow(2))
    run = run_training(model)
    with np.load(run.run_folder / CHECKPOINT) as file:
        assert '"value": 8192.0' in str(file["state"])  # 2^15, halved twice
        finite = {k: np.isfinite(file[k]).all() for k in file.files if k != "state"}
    assert set(finite.values()) == {True}


def test_bad_gradient_of_float32_ends_the_run(run_training, tmp_path):
    with pytest.raises(TrainingError, match=r"norm (nan|inf).*epoch 1, step 1.*field"):
        run_training(build_model(first=Overflow(1)))
    assert (tmp_path / "run" / CHECKPOINT).exists()


def test_xla_is_refused_with_its_reason(run_training):
    image = keras.Input((None, None, 1))
    layer = keras.layers.UpSampling2D(interpolation="bicubic")
    x = layer(keras.layers.MaxPooling2D()(image))
    model = keras.Model(image, keras.layers.Conv2D(3, 1)(x))
    with pytest.raises(TrainingError, match="no kernel for ResizeBicubic"):
        run_training(model, jit="on")
