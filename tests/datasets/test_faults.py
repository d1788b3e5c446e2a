from dataclasses import replace
from pathlib import Path

import pytest

from defectkeras.datasets.faults import form_faults, source_faults, split_faults
from defectkeras.datasets.form import SourceForm, SpecForm, SplitForm, read_form

SOURCE = SourceForm("tem", "images/*.png", "masks/{stem}.png")
LISTS = SplitForm(train=("a",))


@pytest.fixture
def form(tmp_path: Path, write_spec) -> SpecForm:
    return read_form(write_spec(tmp_path))


def test_a_right_form_has_no_fault(form):
    assert form_faults(form) == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"micrographs": "/data/*.png"}, "`micrographs` must be a path below the root"),
        ({"micrographs": ""}, "`micrographs` must be a path"),
        ({"annotations": ""}, "`annotations` must be a path"),
        ({"annotations": "{name}.png"}, "unknown placeholder {name}"),
        ({"annotations": "{stm}.png"}, "Did you mean 'stem'"),
        ({"specimen": "spot"}, "one group"),
        ({"specimen": "(a)(b)"}, "one group"),
        ({"specimen": "(a"}, "one group"),
        ({"pixel_size_nm": 0.0}, "above 0"),
        ({"foil_thickness_nm": float("nan")}, "finite"),
    ],
)
def test_a_source_with_a_fault(change, message):
    (fault,) = source_faults(replace(SOURCE, **change))
    assert message in fault
    assert "source 'tem'" in fault


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"object_class": "void"}, "only for the encodings"),
        ({"encoding": "binary"}, "must say which class it shows: void, line"),
        ({"encoding": "objects", "object_class": "voids"}, "Did you mean 'void'"),
        ({"encoding": "objects", "object_class": "matrix"}, "unknown defect class"),
    ],
)
def test_the_class_of_objects(form, change, message):
    (fault,) = form_faults(replace(form, sources=(replace(SOURCE, **change),)))
    assert message in fault


def test_the_only_defect_class_need_not_be_said(form):
    source = replace(SOURCE, encoding="binary")
    assert form_faults(replace(form, classes=form.classes[:2], sources=(source,))) == ()


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (SplitForm(), "Received: neither"),
        (SplitForm(train=("a",), fractions=(0.8, 0.1, 0.1)), "Received: both"),
        (SplitForm(fractions=(0.8, 0.1, 0.2)), "add up to 1"),
        (SplitForm(fractions=(1.2, -0.2, 0.0)), "not be below 0"),
        (SplitForm(fractions=(float("nan"), 0.5, 0.5)), "add up to 1"),
    ],
)
def test_a_split_with_a_fault(split, message):
    (fault,) = split_faults(split)
    assert message in fault


def test_all_faults_are_told_at_once(form):
    sources = (replace(SOURCE, annotations="{x}.png"), replace(SOURCE, specimen="b"))
    split = SplitForm(by="specimen")
    faults = "\n".join(form_faults(replace(form, sources=sources, split=split)))
    for message in ("2 sources are named", "{x}", "one group", "neither"):
        assert message in faults
    assert faults.count("split by specimen needs") == 1
