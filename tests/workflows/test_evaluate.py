"""A version against annotations; a perfect one has no error."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DatasetError
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.datasets.write import write_dataset_spec
from defectkeras.micrographs.annotations import write_class_map
from defectkeras.micrographs.write import write_micrograph
from defectkeras.workflows import evaluate as module
from defectkeras.workflows.evaluate import evaluate, plan_evaluation
from defectkeras.workflows.segment import Segmenter, load_segmenter


def test_scores_are_complete_and_json(synthetic_spec, tiny_registry):
    evaluation = evaluate(
        "tiny", synthetic_spec, split="train", registry_root=tiny_registry
    )
    scores = evaluation.to_dict()
    json.dumps(scores, allow_nan=False)
    assert scores["model"] == "tiny@1"
    assert len(scores["micrographs"]) == 3
    assert scores["learned_from"] == scores["micrographs"]
    with_objects = {
        name for name, row in scores["classes"].items() if row["objects_true"]
    }
    assert with_objects == {"precipitate", "void"}
    assert set(scores["pixels_pooled"]["classes"]) == {
        "matrix",
        "dislocation",
        "precipitate",
        "void",
    }


def grey_is_class(tiles):
    """A PredictFn for micrographs whose grey level is the class, 0 to 3."""
    return np.eye(4, dtype=np.float32)[np.rint(tiles[..., 0] * 3).astype(int)]


def test_perfect_model_has_no_error(
    synthetic_spec, tiny_registry, tmp_path, monkeypatch
):
    class_map = np.zeros((90, 130), np.int32)
    class_map[10:13, :] = 1
    class_map[30:45, 20:40] = 2
    class_map[60:70, 80:100] = 3
    for part in ("micrographs", "annotations"):
        (tmp_path / part).mkdir()
    pixels = class_map.astype(np.float32)
    field = Micrograph(pixels, Calibration(1.0, 100.0), "field")
    write_micrograph(field, tmp_path / "micrographs" / "field.tif")
    write_class_map(class_map, tmp_path / "annotations" / "field.png")
    spec = write_dataset_spec(
        tmp_path,
        name="drawn",
        description="one field",
        scheme=load_dataset_spec(synthetic_spec).scheme,
        split={"test": ["field"]},
        license="CC0-1.0",
        source="drawn",
    )
    tiny = load_segmenter("tiny", tiny_registry)
    perfect = Segmenter(tiny.version, grey_is_class)
    monkeypatch.setattr(module, "load_segmenter", lambda *_, **__: perfect)
    scores = evaluate("tiny", spec, registry_root=tiny_registry).to_dict()
    assert scores["pixels_pooled"]["pixel_accuracy"] == 1.0
    for row in scores["classes"].values():
        assert (row["boundary_f1"], row["calibration_error"]) == (1.0, 0.0)
        assert row["object_f1"] in (1.0, None)
    assert [row["wasserstein"] for row in scores["sizes"]] == [0.0, 0.0]
    errors = [row["mean_absolute_error_percent"] for row in scores["quantities"]]
    assert set(errors) <= {0.0, None}
    assert 0.0 in errors


def test_folder_has_the_classes_of_the_model(synthetic_spec, tiny_registry, tmp_path):
    for part in ("micrographs", "annotations"):
        shutil.copytree(synthetic_spec.parent / part, tmp_path / part)
    plan = plan_evaluation("tiny", tmp_path, registry_root=tiny_registry)
    assert len(plan.examples) == 4
    assert plan.spec.scheme == plan.version.card.scheme
    assert plan.learned_from == ()
    name = plan.examples[0].name
    card = dataclasses.replace(
        plan.version.card,
        dataset_name=plan.spec.name,
        split={"train": [f"train/{name}"], "val": [f"val/{name}"]},
    )
    version = dataclasses.replace(plan.version, card=card)
    assert dataclasses.replace(plan, version=version).learned_from == (name,)
    with pytest.raises(DatasetError, match="has the classes of the model"):
        plan_evaluation(None, tmp_path)


def test_slips_are_told(synthetic_spec, tiny_registry, tmp_path):
    with pytest.raises(DatasetError, match='the split "test" must have'):
        evaluate("tiny", synthetic_spec, registry_root=tiny_registry)
    with pytest.raises(DatasetError, match="Did you mean 'val'"):
        evaluate("tiny", synthetic_spec, split="vall", registry_root=tiny_registry)
    other = synthetic_spec.with_name("other.toml")
    other.write_text(synthetic_spec.read_text().replace('"void"', '"bubble"'))
    with pytest.raises(DatasetError, match="must have the classes of tiny@1"):
        evaluate("tiny", other, split="val", registry_root=tiny_registry)
    other.unlink()
