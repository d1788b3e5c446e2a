"""Each form gives what TensorFlow gives."""

import json
import sys

import keras
import numpy as np
import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.models.build import build_model
from defectkeras.models.layers import MaxPoolingWithIndices, MaxUnpooling2D
from defectkeras.registry.engines.conversions import RECORD
from defectkeras.registry.engines.convert import (
    CONVERTERS,
    convert_version,
    probability_model,
)
from defectkeras.registry.load import load_model, load_predict_fn


@pytest.mark.parametrize("num_classes", [1, 3])
def test_probability_model_adds_up_to_one(make_model, num_classes):
    model = make_model(num_classes)
    tile = np.random.default_rng(1).random((2, 16, 24, 1)).astype(np.float32)
    probabilities = probability_model(model)(tile, training=False).numpy()
    assert probabilities.shape == (2, 16, 24, max(num_classes, 2))
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1.0, atol=1e-6)


def test_probability_model_is_the_exported_one(registry):
    version = registry.resolve("tiny")
    tile = np.random.default_rng(1).random((1, 16, 24, 1)).astype(np.float32)
    expected = load_predict_fn(version)(tile)
    found = probability_model(load_model(version))(tile, training=False)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_record_tells_the_source_and_the_files(registry):
    version = registry.resolve("tiny")
    folder = convert_version(version, "litert")
    record = json.loads((folder / RECORD).read_text())
    assert record["source"] == "tiny@1"
    assert record["source_sha256"] == version.sha256
    assert set(record["files"]) == {"model.tflite"}
    with pytest.raises(RegistryError, match="exists"):
        convert_version(version, "litert")
    assert convert_version(version, "litert", replace=True) == folder


def test_slips_are_told_and_leave_nothing(registry, monkeypatch):
    version = registry.resolve("tiny")
    with pytest.raises(RegistryError, match="Did you mean 'onnx'"):
        convert_version(version, "onxx")
    with pytest.raises(RegistryError, match="needs tiles of real micrographs"):
        convert_version(version, "litert_int8")
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(RegistryError, match=r"defectkeras\[runtimes\]"):
        convert_version(version, "onnx")
    assert not list((registry.root / "tiny").glob("conversions/*"))


def test_forms_are_those_of_the_command_line():
    from defectkeras.cli.convert import convert

    options = {p.name: p for p in convert.params}
    assert list(options["form"].type.choices) == list(CONVERTERS)


def test_operation_that_litert_lacks_is_told_in_a_line(tmp_path, capfd):
    """It has no choice between two of the small integers that unpooling needs."""
    image = keras.Input((None, None, 1))
    pooled, places = MaxPoolingWithIndices(padding="valid")(image)
    unpooled = MaxUnpooling2D(padding="valid")([pooled, places])
    with pytest.raises(RegistryError, match="LiteRT must know every operation") as told:
        CONVERTERS["litert"][1](keras.Model(image, unpooled), tmp_path, ())
    assert len(str(told.value)) < 250
    assert "SelectV2" in str(told.value)
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_operation_that_openvino_lacks_is_told(make_model, tmp_path, monkeypatch):
    openvino = pytest.importorskip("openvino")

    def read_model(self, path):
        raise RuntimeError("Conversion failed for: Resize-18")

    monkeypatch.setattr(openvino.Core, "read_model", read_model)
    with pytest.raises(RegistryError, match="OpenVINO must know every operation"):
        CONVERTERS["openvino"][1](make_model(3), tmp_path, ())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "arguments"),
    [
        ("deeplab_v3_plus", {"separable": True}),
        ("fast_fcn", {"head": "cbp", "pyramid_filters": 16}),
    ],
)
def test_openvino_reads_what_it_does_not_read_as_onnx(
    tmp_path, architecture, arguments
):
    openvino = pytest.importorskip("openvino")
    encoder = {"encoder": "mobilenet_v2", "encoder_alpha": 0.35}
    model = probability_model(
        build_model(architecture, num_classes=3, **encoder, **arguments)
    )
    CONVERTERS["openvino"][1](model, tmp_path, ())
    assert {p.name for p in tmp_path.iterdir()} == {"model.xml", "model.bin"}
    compiled = openvino.Core().compile_model(
        tmp_path / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    for shape in ((1, 64, 96, 1), (2, 96, 64, 1)):
        tiles = np.random.default_rng(1).random(shape).astype(np.float32)
        expected = model(tiles, training=False)
        np.testing.assert_allclose(compiled(tiles)[0], expected, atol=1e-6)
