"""The specs that come with the project fit the public sets."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from defectkeras.datasets.check import validate_dataset_spec
from defectkeras.datasets.describe import describe_dataset
from defectkeras.datasets.form import read_form
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.synthesis.presets import PRESETS

DATA_SPECS = Path(__file__).parents[2] / "data_specs"
PATHS = sorted(DATA_SPECS.glob("*.toml"))
PUBLIC = [p for p in PATHS if not p.stem.startswith("synthetic")]
COUNTS = {
    "cracks-ebc": {"train": 16, "val": 3},
    "loops-316l": {"test": 1},
    "loops-ti-a": {"test": 6},
    "loops-ti-b": {"test": 6},
    "precipitates-cr": {"train": 15, "val": 4},
    "precipitates-cr-small": {"train": 7, "val": 2},
    "precipitates-ni": {"train": 10, "val": 4},
    "precipitates-ni-1": {"train": 1, "val": 4},
    "precipitates-ni-4": {"train": 4, "val": 4},
}
PARTED = {"cracks-ebc": {"040617_3", "050317_3", "070516_3"}}
"""Specimens on both sides of the split of the public original."""

SYNTHETIC = [p for p in PATHS if p.stem.startswith("synthetic")]


def folder_of(path: Path) -> str:
    return Path(read_form(path).root).name


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_a_spec_says_where_its_files_come_from(path):
    form = read_form(path)
    assert form.name == path.stem
    assert form.license
    assert form.source
    assert form.root.startswith("../data/")


def test_every_public_set_has_its_spec():
    assert {p.stem for p in PUBLIC} == set(COUNTS)


@pytest.mark.parametrize("path", SYNTHETIC, ids=lambda p: p.stem)
def test_a_synthetic_set_has_the_classes_of_its_preset(path):
    preset = PRESETS[path.stem.removeprefix("synthetic-")]
    assert read_form(path).scheme == preset.scheme


@pytest.mark.parametrize("path", PUBLIC, ids=lambda p: p.stem)
def test_a_public_set_has_no_problem(path, shared_data):
    root = shared_data(folder_of(path))
    problems = validate_dataset_spec(path, root=root)
    assert {p.message.split("'")[1] for p in problems} == PARTED.get(path.stem, set())
    assert all("is in train and val" in p.message for p in problems)
    spec = load_dataset_spec(path, root=root)
    assert Counter(e.split for e in spec.examples) == COUNTS[path.stem]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("cracks-ebc", "train"),
        ("precipitates-cr", "train"),
        ("precipitates-ni", "train"),
        ("precipitates-ni-4", "train_4"),
        ("precipitates-ni-1", "train_1"),
    ],
)
def test_the_split_is_that_of_the_public_original(name, key, shared_data):
    path = DATA_SPECS / f"{name}.toml"
    root = shared_data(folder_of(path))
    published = json.loads((root / "splits.json").read_text())
    spec = load_dataset_spec(path, root=root)
    assert {e.name for e in spec.of_split("train")} == set(published[key])
    assert {e.name for e in spec.of_split("val")} == set(published["val"])


@pytest.mark.parametrize("annotator", [pytest.param("a", marks=pytest.mark.slow), "b"])
def test_loops_are_counted_as_their_authors_count_them(annotator, shared_data):
    root = shared_data("loops_ti")
    published = json.loads((root / "reference_quantities.json").read_text())
    spec = load_dataset_spec(DATA_SPECS / f"loops-ti-{annotator}.toml", root=root)
    assert {e.specimen for e in spec.examples} == {"frame"}
    for described, truth in zip(
        describe_dataset(spec).examples, published, strict=True
    ):
        expected = truth[f"annotator_{annotator}"]
        loop = described.classes[1]
        assert int(described.name.removeprefix("frame_")) == truth["frame"]
        assert loop.objects.count == expected["count"]
        assert loop.area_fraction_percent == pytest.approx(
            100 * expected["area_fraction"]
        )


def test_the_fingerprint_is_that_of_an_independent_reading(shared_data):
    root = shared_data("precipitates_ni")
    spec = load_dataset_spec(DATA_SPECS / "precipitates-ni.toml", root=root)
    lines = []
    for name in [p.name for p in (root / "images").iterdir()]:
        parts = [(root / f / name).read_bytes() for f in ("images", "masks")]
        lines.append(" ".join(hashlib.sha256(p).hexdigest() for p in parts))
    digest = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
    assert spec.fingerprint == f"sha256:{digest}"
