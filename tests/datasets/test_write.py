import tomllib

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from defectkeras.core.errors import DatasetError
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.strict import from_mapping
from defectkeras.datasets.check import validate_dataset_spec
from defectkeras.datasets.form import SourceForm, SpecForm, SplitForm
from defectkeras.datasets.spec import load_dataset_spec, load_example
from defectkeras.datasets.write import to_toml, write_dataset_spec

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "void", "region"),
        DefectClass(2, "line", "line"),
    )
)
TEXT = st.text(max_size=8)
LENGTH = st.none() | st.floats(1e-12, 1e12)
NAMES = st.lists(TEXT, max_size=3).map(tuple)
SOURCES = st.builds(
    SourceForm,
    name=TEXT,
    micrographs=TEXT,
    annotations=TEXT,
    encoding=st.sampled_from(["class_index", "binary", "objects"]),
    object_class=st.none() | TEXT,
    pixel_size_nm=LENGTH,
    foil_thickness_nm=LENGTH,
    specimen=st.none() | TEXT,
    license=st.none() | TEXT,
)
SPLITS = st.builds(
    SplitForm,
    by=st.sampled_from(["file", "specimen"]),
    train=NAMES,
    val=NAMES,
    test=NAMES,
    unused=NAMES,
    fractions=st.none() | st.tuples(*[st.floats(0, 1)] * 3),
    seed=st.integers(-(2**63), 2**63 - 1),
)
FORMS = st.builds(
    SpecForm,
    schema=st.just(1),
    name=TEXT,
    description=TEXT,
    license=TEXT,
    source=TEXT,
    root=TEXT,
    classes=st.just(SCHEME.classes),
    sources=st.lists(SOURCES, min_size=1, max_size=2).map(tuple),
    split=SPLITS,
    fingerprint=st.none() | TEXT,
)


@given(FORMS)
def test_every_form_is_read_back_as_it_was(form):
    assert from_mapping(SpecForm, tomllib.loads(to_toml(form)), where="f") == form


def test_defaults_are_left_out():
    text = to_toml(
        SpecForm(
            1,
            "a",
            'say "µm"',
            "MIT",
            "here",
            ".",
            SCHEME.classes,
            (SourceForm("s", "*.tif", "{stem}.png"),),
            SplitForm(train=("x",)),
        )
    )
    assert 'description = "say \\"µm\\""' in text
    assert text.endswith(
        '[[sources]]\nname = "s"\nmicrographs = "*.tif"\n'
        'annotations = "{stem}.png"\n\n[split]\ntrain = ["x"]\n'
    )


@pytest.fixture
def folder(tmp_path, draw, mask, image):
    for seed, name in enumerate(("dci-stem_00000", "dci-stem_00001")):
        path = tmp_path / "micrographs" / f"{name}.tif"
        path.parent.mkdir(exist_ok=True)
        tifffile.imwrite(path, image(seed))
        draw(tmp_path / "annotations" / f"{name}.png", mask)
    return tmp_path


def write(folder, split):
    return write_dataset_spec(
        folder,
        name="synthetic",
        description="Drawn.",
        scheme=SCHEME,
        split=split,
        license="CC0-1.0",
        source="defectkeras data synthesize",
    )


def test_a_written_spec_is_a_right_set(folder, mask):
    path = write(folder, {"train": ["dci-stem_00000"], "val": ["dci-stem_00001"]})
    assert path == folder / "dataset.toml"
    assert validate_dataset_spec(path) == ()
    spec = load_dataset_spec(path)
    assert spec.fingerprint.startswith("sha256:")
    assert spec.scheme == SCHEME
    assert [(e.name, e.split) for e in spec.examples] == [
        ("dci-stem_00000", "train"),
        ("dci-stem_00001", "val"),
    ]
    loaded = load_example(spec.examples[0], spec.scheme)
    np.testing.assert_array_equal(loaded.class_map, mask)


def test_it_stays_right_in_another_place(folder, tmp_path_factory):
    write(folder, {"test": ["dci-stem_*"]})
    moved = folder.rename(tmp_path_factory.mktemp("moved") / "set")
    assert validate_dataset_spec(moved / "dataset.toml") == ()


def test_a_split_that_does_not_fit_writes_nothing(folder):
    with pytest.raises(DatasetError, match="names nothing"):
        write(folder, {"train": ["dci-stem_*", "other"]})
    assert not (folder / "dataset.toml").exists()
