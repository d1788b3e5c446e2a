"""Engines are compared in what they find and in the quantities."""

import json
import shutil

import pytest

from defectkeras.core.errors import DatasetError, RegistryError
from defectkeras.registry.engines.conversions import RECORD
from defectkeras.workflows.analyze import analyze
from defectkeras.workflows.analyze_settings import AnalyzeSettings
from defectkeras.workflows.convert import compare_on_spec, convert
from defectkeras.workflows.segment import SegmentSettings


@pytest.fixture
def root(tiny_registry, tmp_path):
    return shutil.copytree(tiny_registry, tmp_path / "registry")


def test_parity_is_measured_and_kept(root, synthetic_spec):
    folder, parities = convert(
        "tiny", "openvino", spec_path=synthetic_spec, registry_root=root
    )
    names = [p.runtime for p in parities]
    assert names == ["keras", "tensorflow", "openvino", "openvino_bf16"]
    exact = parities[2]
    assert exact.micrographs == 1
    assert exact.mean_difference < exact.largest_difference < 1e-4
    assert exact.class_agreement > 0.9999
    assert exact.seconds_per_megapixel > 0
    record = json.loads((folder / RECORD).read_text())
    assert set(record["parity"]) == set(names)
    again = compare_on_spec(
        "tiny", synthetic_spec, runtimes=["openvino"], registry_root=root
    )
    assert again[2].largest_difference == exact.largest_difference


def test_without_a_spec_the_golden_is_compared(root):
    _, parities = convert("tiny", "onnx", registry_root=root)
    assert parities[-1].runtime == "onnxruntime"
    assert parities[-1].largest_difference < 1e-4


def test_what_rounding_does_not_explain_is_taken_away(root, monkeypatch):
    monkeypatch.setattr("defectkeras.workflows.convert.limit_of", lambda off: off / 1e9)
    with pytest.raises(RegistryError, match=r"must be within .* of float64"):
        convert("tiny", "litert", registry_root=root)
    assert not (root / "tiny" / "conversions" / "1-litert").exists()


def test_what_was_not_compared_is_taken_away(root, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("defectkeras.workflows.convert.compare_runtimes", interrupt)
    with pytest.raises(KeyboardInterrupt):
        convert("tiny", "litert", registry_root=root)
    assert not (root / "tiny" / "conversions" / "1-litert").exists()


def test_int8_is_calibrated_on_the_training_split(root, synthetic_spec):
    _, parities = convert(
        "tiny", "litert_int8", spec_path=synthetic_spec, registry_root=root
    )
    # Of classes the tiny model is so unsure that they are a matter of rounding
    assert parities[-1].largest_difference < 0.02


@pytest.mark.usefixtures("no_figures")
def test_analyze_runs_by_another_engine_and_says_so(root, synthetic_spec, tmp_path):
    convert("tiny", "litert", registry_root=root)
    micrograph = next((synthetic_spec.parent / "micrographs").iterdir())
    settings = AnalyzeSettings(segment=SegmentSettings(runtime="litert"))
    analyze(
        [micrograph],
        "tiny",
        output_folder=tmp_path / "out",
        settings=settings,
        registry_root=root,
    )
    summary = next((tmp_path / "out").glob("*/summary.json")).read_text()
    assert '"runtime": "litert"' in summary


def test_slips_are_told(root, synthetic_spec):
    with pytest.raises(DatasetError, match='the split "test" must have'):
        convert(
            "tiny", "litert", spec_path=synthetic_spec, split="test", registry_root=root
        )
    with pytest.raises(RegistryError, match="has no onnx file yet"):
        compare_on_spec(
            "tiny", synthetic_spec, runtimes=["onnxruntime"], registry_root=root
        )


def test_a_version_that_was_not_converted_is_held_against_keras(root, synthetic_spec):
    parities = compare_on_spec("tiny", synthetic_spec, registry_root=root)
    assert [p.runtime for p in parities] == ["keras", "tensorflow"]
