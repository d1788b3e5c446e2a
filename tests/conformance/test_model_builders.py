"""What every architecture promises, for every row of MODEL_BUILDERS and variant.

A new architecture adds its rows to CASES and writes its golden numbers with
`pytest tests/conformance --update-goldens`.
"""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.errors import ModelError
from defectkeras.losses import build_loss
from defectkeras.metrics import class_map_of_logits, confusion_counts, score_counts
from defectkeras.models.build import (
    MODEL_BUILDERS,
    build_model,
    describe_architecture,
    model_stride,
)

pytestmark = pytest.mark.filterwarnings("ignore:The rates")  # images here are small

GOLDENS = Path(__file__).parents[1] / "goldens"


@dataclass(frozen=True)
class Case:
    """One architecture with its arguments.

    Attributes:
        architecture: Row of MODEL_BUILDERS.
        trainable: Trainable parameters for one channel and one class.
        total: All parameters for one channel and one class.
        arguments: Those of the builder beside the shape and the classes.
        settled: Whether the averages of the normalizations settle within the
            few steps of the overfitting test, so that inference is judged.
        rate: Learning rate of the overfitting test; the smaller, the more steps.
        least_iou: Smallest IoU of a class that overfitting must reach; None where
            the last map is too coarse to follow the border of a small disc.
        dropout: Whether features are dropped in training, by chance.
        rounding: Largest mean error of the logits in float16, as a part of their
            spread. It is larger where rounding moves the place of a maximum.
    """

    architecture: str
    trainable: int
    total: int
    arguments: dict[str, Any] = field(default_factory=dict)
    settled: bool = True
    least_iou: float | None = 0.95
    rate: float = 0.01
    dropout: bool = False
    rounding: float = 0.05

    def __str__(self):
        texts = {str: "{1}", bool: "{0}", int: "{0}{1}", float: "{0}{1}"}
        words = (texts[type(v)].format(k, v) for k, v in self.arguments.items())
        return "-".join([self.architecture, *words])

    @cached_property
    def facts(self):
        return describe_architecture(self.build())

    def fit(self, height, width):
        """Give the next size that the model takes."""
        stride = self.facts.stride
        return tuple(-(-side // stride) * stride for side in (height, width))

    def build(self, input_shape=(None, None, 1), num_classes=3):
        return build_model(
            self.architecture,
            input_shape=input_shape,
            num_classes=num_classes,
            **self.arguments,
        )


CASES = [
    Case("defectsegnet", 350_430, 351_518, {"variant": "paper"}),
    Case("defectsegnet", 350_430, 351_518, {"variant": "released"}, settled=False),
    Case("defectsegnet", 342_644, 343_732, {"upsampling": "max_unpooling"}),
    Case("fcn", 525_807, 525_807, {"variant": "8s", "filters": 4}, least_iou=0.7),
    Case("unet", 122_389, 123_125, {"filters": 4}),
    Case(
        "unet",
        113_493,
        113_493,
        {"filters": 4, "batch_norm": False, "upsampling": "bed_of_nails"},
        rate=0.003,  # without normalization a larger one may get stuck
    ),
    Case(
        "patch_classifier",
        3_537,
        3_537,
        {"patch_size": 21, "filters": 8},
        least_iou=0.9,
    ),
    Case("segnet", 462_769, 464_753, {"filters": 8}, rounding=0.1),
    Case(
        "segnet",
        462_769,
        464_753,
        {"filters": 8, "bayesian": True},
        dropout=True,
        rounding=0.1,
        least_iou=0.8,
    ),
    Case("segnet_basic", 22_545, 22_673, {"filters": 8}, rounding=0.1),
    Case(
        "segnet_basic",
        22_545,
        22_673,
        {"filters": 8, "bayesian": True},
        dropout=True,
        rounding=0.1,
        least_iou=0.8,
    ),
]
SMALL_ENCODER = {"encoder": "mobilenet_v2", "encoder_alpha": 0.35}
ENCODER_CASES = [
    Case("deeplab_v3", 10_819_905, 10_837_569, SMALL_ENCODER, least_iou=None),
    Case(
        "deeplab_v3_plus",
        2_560_433,
        2_587_505,
        SMALL_ENCODER | {"output_stride": 8, "separable": True},
        least_iou=None,
    ),
    Case(
        "encoder_unet",
        4_985_009,
        5_028_753,
        {"encoder": "efficientnet_lite0"},
        settled=False,
    ),
    Case(
        "fast_fcn",
        1_980_545,
        1_998_913,
        SMALL_ENCODER | {"head": "cbp", "pyramid_filters": 32},
        least_iou=None,
    ),
]
ALL_CASES = [
    *CASES,
    *(pytest.param(case, marks=pytest.mark.slow) for case in ENCODER_CASES),
]


@pytest.fixture(params=ALL_CASES, ids=str)
def case(request):
    return request.param


@pytest.fixture
def restored_policy():
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


def set_ramp(model):
    """Set all weights to a small ramp, scaled so that no layer explodes."""
    for place, weight in enumerate(model.weights):
        size = int(np.prod(weight.shape))
        ramp = ((np.arange(size) * 7 + place) % 13 - 6) / 6.0  # from -1 to 1
        inputs = weight.shape[:2] if "depthwise" in weight.path else weight.shape[:-1]
        fan_in = max(int(np.prod(inputs)), 1)
        values = ramp.reshape(weight.shape) / np.sqrt(fan_in)
        if weight.name in ("gamma", "moving_variance"):
            values = 1.0 + 0.1 * ramp.reshape(weight.shape)
        weight.assign(values)
    return model


def assert_near(found, expected, tolerance=1e-5):
    """Compare logits with the largest of them as the measure, for deep networks."""
    largest = np.abs(expected).max()
    np.testing.assert_allclose(
        found, expected, rtol=tolerance, atol=tolerance * largest
    )


def draw_image(height, width, channels=1, batch=1):
    """Draw waves in [0, 1], the same on every machine: (B, H, W, C)."""
    b, y, x, c = np.ogrid[:batch, :height, :width, :channels]
    waves = np.sin(0.31 * y + 0.7 * b) * np.cos(0.17 * x - 0.4 * c)
    return (0.5 + 0.5 * waves).astype(np.float32)


def draw_discs(height, width):
    """Draw discs of two classes on a grey ground: (H, W) image and class map."""
    class_map = np.zeros((height, width), dtype=np.int32)
    y, x = np.mgrid[:height, :width]
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


def test_cases_cover_the_table():
    cases = (*CASES, *ENCODER_CASES)
    assert {case.architecture for case in cases} == set(MODEL_BUILDERS)


def test_parameter_counts(case):
    model = case.build(num_classes=1)
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert (trainable, model.count_params()) == (case.trainable, case.total)


def test_layer_names_are_unique_and_the_same_each_time(case):
    names = [layer.name for layer in case.build().layers]
    assert len(set(names)) == len(names)
    assert names == [layer.name for layer in case.build().layers]


@pytest.mark.parametrize(("rows", "columns", "channels"), [(3, 2, 1), (1, 4, 3)])
def test_logits_have_the_size_of_the_image(case, rows, columns, channels):
    stride = case.facts.stride
    height, width = rows * stride, columns * stride
    model = case.build((None, None, channels), num_classes=4)
    logits = model(draw_image(height, width, channels, batch=2))
    assert logits.shape == (2, height, width, 4)
    fixed = case.build((height, width, channels), num_classes=4)
    assert fixed.output_shape == (None, height, width, 4)


def test_odd_size_is_told_the_padded_size(case):
    stride = case.facts.stride
    if stride == 1:
        pytest.skip("every size fits")
    padded = rf"\({2 * stride}, {3 * stride}\)"
    with pytest.raises(ModelError, match=padded):
        case.build((stride + 1, 3 * stride - 1, 1))


def test_stride_in_the_table_is_that_of_the_model(case):
    assert model_stride(case.build()) == case.facts.stride


def test_pixels_beyond_the_receptive_field_do_not_matter(case):
    if case.facts.receptive_field_px is None or case.facts.receptive_field_px > 400:
        pytest.skip("it sees more than a small image has")
    stride, halo = case.facts.stride, case.facts.receptive_field_px // 2
    model = set_ramp(case.build())
    height, width = 2 * halo + 4 * stride, 2 * halo + 6 * stride
    height, width = (-(-side // stride) * stride for side in (height, width))
    large = draw_image(height + 2 * stride, width + 3 * stride)
    whole = model(large)[0, 2 * stride :, 3 * stride :]
    tile = model(large[:, 2 * stride :, 3 * stride :])[0]
    inside = (slice(halo, height - halo), slice(halo, width - halo))
    np.testing.assert_allclose(tile[inside], whole[inside], rtol=1e-4, atol=1e-5)


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


def test_keras_file_gives_equal_output(case, tmp_path):
    model = set_ramp(case.build())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    image = draw_image(*case.fit(24, 40))
    np.testing.assert_array_equal(model(image), loaded(image))


def test_saved_model_gives_equal_output(case, tmp_path):
    model = set_ramp(case.build())
    archive = keras.export.ExportArchive()
    archive.add_endpoint(
        name="serve",
        fn=lambda image: model(image, training=False),
        input_signature=[tf.TensorSpec((None, None, None, 1), tf.float32, "image")],
    )
    archive.write_out(tmp_path / "1", verbose=False)
    served = tf.saved_model.load(tmp_path / "1").signatures["serve"]
    for size, batch in ((case.fit(24, 40), 1), (case.fit(16, 32), 2)):
        image = draw_image(*size, batch=batch)
        (logits,) = served(image=tf.constant(image)).values()
        assert_near(model(image), logits)
    stored = sum(f.stat().st_size for f in (tmp_path / "1" / "variables").iterdir())
    assert stored < 1.2 * 4 * model.count_params()  # each weight once


def test_batch_of_two_is_two_batches_of_one(case):
    model = set_ramp(case.build())
    images = draw_image(*case.fit(24, 40), batch=2)
    alone = np.concatenate([model(images[:1]), model(images[1:])])
    assert_near(model(images), alone)


def test_xla_gives_equal_output(case):
    model = set_ramp(case.build())
    image = draw_image(*case.fit(24, 40))
    compiled = tf.function(lambda x: model(x, training=False), jit_compile=True)
    assert_near(model(image), compiled(image), tolerance=1e-4)


@pytest.mark.slow
def test_xla_trains_alike(case):
    if case in ENCODER_CASES:
        pytest.skip("compiling the step of so deep a network takes minutes")
    if case.dropout:
        pytest.skip("XLA draws other numbers")
    image, class_map = draw_discs(*case.fit(32, 40))
    losses = {}
    for jit_compile in (False, True):
        model = set_ramp(case.build())
        model.compile(
            keras.optimizers.SGD(0.01),
            build_loss("ce + dice", num_classes=3),
            jit_compile=jit_compile,
        )
        batch = (image[None, :, :, None], class_map[None])
        losses[jit_compile] = [model.train_on_batch(*batch) for _ in range(3)]
    np.testing.assert_allclose(losses[False], losses[True], rtol=1e-3)


def test_golden_numbers(case, request):
    logits = set_ramp(case.build())(draw_image(*case.fit(40, 56))).numpy()
    numbers = {
        "shape": list(logits.shape),
        "mean": float(logits.mean()),
        "deviation": float(logits.std()),
        "pixels": logits[0, ::13, ::17].astype(float).tolist(),
    }
    path = GOLDENS / f"{case}.json"
    if request.config.getoption("--update-goldens"):
        path.write_text(json.dumps(numbers, indent=1) + "\n")
    golden = json.loads(path.read_text())
    assert numbers["shape"] == golden["shape"]
    for key in ("mean", "deviation", "pixels"):
        np.testing.assert_allclose(numbers[key], golden[key], rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("restored_policy")
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_logits_are_float32_under_every_policy(case, policy):
    keras.utils.set_random_seed(3)
    model = case.build()
    image = draw_image(*case.fit(64, 72))
    if case in ENCODER_CASES:  # so deep that the first averages let nothing through
        for _ in range(40):
            model(image, training=True)
    expected = model(image).numpy()
    keras.config.set_dtype_policy(policy)
    other = case.build()
    other.set_weights(model.get_weights())
    logits = other(image)
    assert logits.dtype == "float32"
    coarser = {"mixed_float16": 1, "mixed_bfloat16": 4}[policy]  # 8 in one rounding
    error = np.abs(logits - expected).mean()
    assert error < coarser * case.rounding * expected.std()


@pytest.mark.slow
@pytest.mark.parametrize("num_classes", [1, 3])
def test_overfits_one_tiny_micrograph(case, num_classes):
    if case.least_iou is None:
        pytest.skip("its map is too coarse for small discs")
    height, width = case.fit(64, 80)
    image, class_map = draw_discs(height, width)
    class_map = np.minimum(class_map, 1) if num_classes == 1 else class_map
    batch = (image[None, :, :, None], class_map[None])
    reached = []
    for seed in (1, 2, 3):  # some starts get stuck, and threads add in any order
        keras.utils.set_random_seed(seed)
        model = case.build((height, width, 1), num_classes=num_classes)
        loss = build_loss("ce + dice", num_classes=num_classes)
        model.compile(keras.optimizers.Adam(case.rate), loss)
        for _ in range(round(1.2 / case.rate)):
            model.train_on_batch(*batch)
        logits = model(batch[0], training=not case.settled).numpy()
        counts = confusion_counts(
            batch[1], class_map_of_logits(logits), num_classes=max(num_classes, 2)
        )
        reached.append(score_counts(counts).iou.min())
        if reached[-1] > case.least_iou:
            return
    pytest.fail(f"IoU must be above {case.least_iou}. Received: {reached}.")
