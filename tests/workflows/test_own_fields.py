"""Own fields as a set that can be trained on."""

import dataclasses

import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DatasetError
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import load_dataset_spec, load_example
from defectkeras.micrographs.annotations import write_class_map
from defectkeras.micrographs.write import write_micrograph
from defectkeras.workflows.own_fields import (
    load_fields,
    split_class_map,
    split_in_space,
    validate_fields,
)

SCHEME = LabelScheme(
    (DefectClass(0, "matrix", "matrix"), DefectClass(1, "void", "region"))
)


def class_map_with_voids():
    """Voids everywhere but in the last fifth of the columns."""
    class_map = np.zeros((96, 160), np.int32)
    class_map[8::16, 4:128:8] = 1
    return class_map


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        class_map = class_map_with_voids()
        micrograph = Micrograph(rng.random((96, 160)), Calibration(0.8), name)
        path = tmp_path / "mine" / "micrographs" / f"{name}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_micrograph(micrograph, path)
        (tmp_path / "mine" / "annotations").mkdir(exist_ok=True)
        write_class_map(class_map, tmp_path / "mine" / "annotations" / f"{name}.png")
    return tmp_path / "mine"


def test_folder_is_a_set_with_the_classes_of_the_model(folder):
    spec = load_fields(folder, SCHEME)
    assert spec.name == "mine"
    assert [e.name for e in spec.of_split("train")] == ["a", "b"]
    assert len(load_fields(folder, SCHEME, split="test").of_split("test")) == 2
    loaded = load_example(spec.examples[0], spec.scheme)
    np.testing.assert_array_equal(loaded.class_map, class_map_with_voids())


def test_folder_with_something_else_is_told(tmp_path):
    with pytest.raises(DatasetError, match="must hold a data spec"):
        load_fields(tmp_path, SCHEME)


def test_all_problems_of_a_folder_are_found(folder):
    assert validate_fields(folder, SCHEME) == ()
    (folder / "annotations" / "a.png").write_bytes(b"")
    (folder / "micrographs" / "b.tif").rename(folder / "micrographs" / "c.tif")
    (folder / "steel.toml").touch()
    problems = validate_fields(folder, SCHEME)
    told = {(p.severity, p.path.name) for p in problems}
    assert told == {
        ("warning", "steel.toml"),
        ("warning", "b.png"),
        ("error", "a.png"),
        ("error", "c.tif"),
    }


def test_folder_without_a_data_spec_needs_classes(folder):
    with pytest.raises(DatasetError, match="Name that by --model"):
        validate_fields(folder, None)


def test_parts_do_not_touch_and_have_their_share_of_defects():
    class_map = class_map_with_voids()
    class_map[:4] = NOT_ANNOTATED
    learned, validated = split_class_map(class_map, 2)
    assert not ((learned >= 0) & (validated >= 0)).any()
    for part in (learned, validated):
        annotated = part >= 0
        np.testing.assert_array_equal(part[annotated], class_map[annotated])
    share = (validated == 1).sum() / (class_map == 1).sum()
    assert share == pytest.approx(0.25, abs=0.1)
    left_out = (learned < 0) & (validated < 0) & (class_map >= 0)
    assert 0 < left_out.mean() < 0.1


def test_micrographs_of_like_names_stay_apart(folder, tmp_path):
    spec = load_fields(folder, SCHEME)
    names = ("a/b_c", "a_b/c")
    examples = tuple(
        dataclasses.replace(e, name=n)
        for e, n in zip(spec.examples, names, strict=True)
    )
    spec = dataclasses.replace(spec, examples=examples)
    split = load_dataset_spec(split_in_space(spec, tmp_path / "fields"))
    assert [e.name for e in split.of_split("train")] == ["train/a_b_c", "train/a_b_c_"]
    fewer = dataclasses.replace(spec, examples=examples[:1])
    split = load_dataset_spec(split_in_space(fewer, tmp_path / "fields"))
    assert [e.name for e in split.of_split("train")] == ["train/a_b_c"]


def test_the_split_set_is_read_back_with_its_pixel_size(folder, tmp_path):
    path = split_in_space(load_fields(folder, SCHEME), tmp_path / "fields")
    spec = load_dataset_spec(path)
    assert [e.name for e in spec.of_split("val")] == ["val/a", "val/b"]
    example = load_example(spec.of_split("train")[0], spec.scheme)
    assert example.micrograph.shape == (96, 160)
    assert example.micrograph.calibration.pixel_size_nm == pytest.approx(0.8)
    assert (example.class_map == NOT_ANNOTATED).mean() == pytest.approx(0.3, abs=0.05)
