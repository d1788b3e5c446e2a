"""A synthetic set is complete, whole, and the same for the same seed."""

import dataclasses
import json

import numpy as np
import pytest

from defectkeras.core.errors import DatasetError
from defectkeras.core.files import sha256_of_file
from defectkeras.datasets.check import find_problems
from defectkeras.datasets.spec import load_dataset_spec, load_example
from defectkeras.micrographs.annotations import read_label_map
from defectkeras.workflows.synthesize import SynthesisPlan, synthesize_dataset

PLAN = SynthesisPlan(
    count=3, shape=(64, 96), pixel_sizes_nm=(1.0, 0.5), seed=11, val_fraction=0.34
)


def test_set_is_valid_and_keeps_its_calibration(tmp_path):
    spec = load_dataset_spec(synthesize_dataset(tmp_path / "set", PLAN))
    assert [e.split for e in spec.examples] == ["train", "train", "val"]
    assert not [p for p in find_problems(spec) if p.severity == "error"]
    sizes = []
    for example in spec.examples:
        loaded = load_example(example, spec.scheme)
        assert loaded.micrograph.shape == (64, 96)
        assert loaded.micrograph.calibration.foil_thickness_nm == 100.0
        sizes.append(loaded.micrograph.calibration.pixel_size_nm)
    np.testing.assert_allclose(sizes, [1.0, 0.5, 1.0], rtol=1e-5)


def test_truth_belongs_to_the_objects(tmp_path):
    folder = synthesize_dataset(tmp_path / "set", PLAN).parent
    for name in PLAN.names():
        truth = json.loads((folder / "truth" / f"{name}.json").read_text())
        drawn = set(np.unique(read_label_map(folder / "objects" / f"{name}.tif"))) - {0}
        assert drawn <= {entry["label"] for entry in truth["objects"]}


def test_same_seed_gives_same_bytes(tmp_path):
    folders = [synthesize_dataset(tmp_path / n, PLAN).parent for n in ("a", "b")]
    files = [sorted(p for p in f.rglob("*") if p.is_file()) for f in folders]
    assert len(files[0]) == 3 * 4 + 1
    for first, second in zip(*files, strict=True):
        assert sha256_of_file(first) == sha256_of_file(second), first.name


def test_progress_counts_micrographs(tmp_path):
    steps = []
    plan = dataclasses.replace(PLAN, count=2)
    synthesize_dataset(
        tmp_path / "set", plan, on_progress=lambda *step: steps.append(step)
    )
    assert steps == [(1, 2), (2, 2)]


def test_existing_folder_and_unknown_preset_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="must not exist yet"):
        synthesize_dataset(tmp_path, PLAN)
    with pytest.raises(DatasetError, match="Did you mean 'dci-stem'"):
        synthesize_dataset(tmp_path / "s", dataclasses.replace(PLAN, preset="dci-sten"))
    assert list(tmp_path.iterdir()) == []
