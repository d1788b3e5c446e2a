"""What every architecture promises, for every row of MODEL_BUILDERS and variant.

A new architecture adds its rows to CASES and writes its golden numbers with
`pytest tests/conformance --update-goldens`.
"""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.errors import ModelError
from defectkeras.models.build import MODEL_BUILDERS, model_stride

pytestmark = pytest.mark.filterwarnings("ignore:The rates")  # images here are small

GOLDENS = Path(__file__).parents[1] / "goldens"


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


def test_cases_cover_the_table(all_cases):
    assert {case.architecture for case in all_cases} == set(MODEL_BUILDERS)


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


def test_pixels_beyond_the_receptive_field_do_not_matter(case, request):
    if case.facts.receptive_field_px is None or case.facts.receptive_field_px > 400:
        pytest.skip("it sees more than a small image has")
    stride, halo = case.facts.stride, case.facts.receptive_field_px // 2
    model = request.getfixturevalue("ramp_model")
    height, width = 2 * halo + 4 * stride, 2 * halo + 6 * stride
    height, width = (-(-side // stride) * stride for side in (height, width))
    large = draw_image(height + 2 * stride, width + 3 * stride)
    whole = model(large)[0, 2 * stride :, 3 * stride :]
    tile = model(large[:, 2 * stride :, 3 * stride :])[0]
    inside = (slice(halo, height - halo), slice(halo, width - halo))
    np.testing.assert_allclose(tile[inside], whole[inside], rtol=1e-4, atol=1e-5)


def test_keras_file_gives_equal_output(case, ramp_model, tmp_path):
    ramp_model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    image = draw_image(*case.fit(24, 40))
    np.testing.assert_array_equal(ramp_model(image), loaded(image))


def test_saved_model_gives_equal_output(case, ramp_model, tmp_path):
    archive = keras.export.ExportArchive()
    archive.add_endpoint(
        name="serve",
        fn=lambda image: ramp_model(image, training=False),
        input_signature=[tf.TensorSpec((None, None, None, 1), tf.float32, "image")],
    )
    archive.write_out(tmp_path / "1", verbose=False)
    served = tf.saved_model.load(tmp_path / "1").signatures["serve"]
    for size, batch in ((case.fit(24, 40), 1), (case.fit(16, 32), 2)):
        image = draw_image(*size, batch=batch)
        (logits,) = served(image=tf.constant(image)).values()
        assert_near(ramp_model(image), logits)
    stored = sum(f.stat().st_size for f in (tmp_path / "1" / "variables").iterdir())
    assert stored < 1.2 * 4 * ramp_model.count_params()  # each weight once


def test_batch_of_two_is_two_batches_of_one(case, ramp_model):
    images = draw_image(*case.fit(24, 40), batch=2)
    alone = np.concatenate([ramp_model(images[:1]), ramp_model(images[1:])])
    assert_near(ramp_model(images), alone)


def test_xla_gives_equal_output(case, ramp_model):
    image = draw_image(*case.fit(24, 40))
    compiled = tf.function(lambda x: ramp_model(x, training=False), jit_compile=True)
    assert_near(ramp_model(image), compiled(image), tolerance=1e-4)


def test_golden_numbers(case, ramp_model, request):
    logits = ramp_model(draw_image(*case.fit(40, 56))).numpy()
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


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_logits_are_float32_under_every_policy(case, policy):
    keras.utils.set_random_seed(3)
    model = case.build()
    image = draw_image(*case.fit(64, 72))
    if case.is_deep:  # the first averages let nothing through
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
