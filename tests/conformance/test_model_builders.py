"""What every architecture is: its parameters, names, sizes and golden numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.build import MODEL_BUILDERS

pytestmark = pytest.mark.filterwarnings("ignore:The rates")  # images here are small

GOLDENS = Path(__file__).parents[1] / "goldens"


def test_cases_cover_the_table(all_cases):
    assert {case.architecture for case in all_cases} == set(MODEL_BUILDERS)


def test_parameter_counts(case):
    model = case.build(num_classes=1)
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert (trainable, model.count_params()) == (case.trainable, case.total)


def test_layer_names_are_unique_and_the_same_each_time(case, ramp_model):
    names = [layer.name for layer in ramp_model.layers]
    assert len(set(names)) == len(names)
    assert names == [layer.name for layer in case.build().layers]


@pytest.mark.parametrize(("rows", "columns", "channels"), [(3, 2, 1), (1, 4, 3)])
def test_logits_have_the_size_of_the_image(case, draw_image, rows, columns, channels):
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


def test_pixels_beyond_the_receptive_field_do_not_matter(case, ramp_model, draw_image):
    if case.facts.receptive_field_px is None or case.facts.receptive_field_px > 400:
        pytest.skip("it sees more than a small image has")
    stride, halo = case.facts.stride, case.facts.receptive_field_px // 2
    height, width = 2 * halo + 4 * stride, 2 * halo + 6 * stride
    height, width = (-(-side // stride) * stride for side in (height, width))
    large = draw_image(height + 2 * stride, width + 3 * stride)
    whole = ramp_model(large)[0, 2 * stride :, 3 * stride :]
    tile = ramp_model(large[:, 2 * stride :, 3 * stride :])[0]
    inside = (slice(halo, height - halo), slice(halo, width - halo))
    np.testing.assert_allclose(tile[inside], whole[inside], rtol=1e-4, atol=1e-5)


def test_golden_numbers(case, ramp_model, draw_image, request):
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
