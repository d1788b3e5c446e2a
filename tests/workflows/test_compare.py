import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from defectkeras.core.errors import DefectKerasError
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.micrographs.annotations.maps import write_class_map, write_label_map
from defectkeras.micrographs.annotations.read import Hints
from defectkeras.workflows.compare import (
    ComparisonRequest,
    compare,
    compare_into_folder,
    plan_comparison,
)
from defectkeras.workflows.convert_annotations import (
    ConversionRequest,
    convert_annotations,
)

OBJECTS = {"": Hints(encoding="objects")}


@pytest.fixture
def request_of_two(tmp_path):
    """Give two people with touching objects; the second misses one in each field."""
    labels = np.zeros((40, 64), np.int32)
    for i, (row, column) in enumerate([(3, 4), (3, 12), (20, 4), (20, 30), (28, 50)]):
        labels[row : row + 8, column : column + 8] = i + 1
    for who in "ab":
        (tmp_path / who).mkdir()
    for name in ("f1", "f2"):
        write_label_map(labels, tmp_path / "a" / f"{name}.png")
        missed = np.where(labels == (2 if name == "f1" else 5), 0, labels)
        write_label_map(missed, tmp_path / "b" / f"{name}.png")
    return ComparisonRequest(
        (str(tmp_path / "a"), str(tmp_path / "b")),
        hints=OBJECTS,
        classes=("void",),
        pixel_size_nm=0.5,
    )


def test_counts_and_matches_of_touching_objects(request_of_two):
    found = compare(request_of_two)

    (row,) = found.count_table().to_dict("records")
    assert (row["a"], row["b"], row["difference_percent b"]) == (10, 8, -20)
    (pair,) = found.pair_table().to_dict("records")
    assert (pair["matched"], pair["precision"], pair["recall"]) == (8, 1, 0.8)
    assert found.fields == ("f1", "f2")


def test_formats_can_be_mixed(request_of_two, tmp_path):
    convert_annotations(
        ConversionRequest(
            tmp_path / "b", tmp_path / "c", "coco", OBJECTS[""], ("void",)
        )
    )
    texts = (str(tmp_path / "a"), f"c={tmp_path / 'c' / 'annotations.json'}")
    found = compare(dataclasses.replace(request_of_two, operands=texts))

    (pair,) = found.pair_table().to_dict("records")
    assert (pair["matched"], pair["recall"]) == (8, 0.8)


def test_an_export_of_lines_that_cross_is_the_same_lines(tmp_path):
    class_map = np.zeros((60, 90), np.int32)
    class_map[28:31, 5:85] = class_map[5:55, 40:43] = 1
    (tmp_path / "maps").mkdir()
    write_class_map(class_map, tmp_path / "maps" / "f.png")
    lines = ("dislocation:line",)
    for tool in ("labelme", "coco"):
        request = ConversionRequest(
            tmp_path / "maps", tmp_path / tool, tool, classes=lines
        )
        convert_annotations(request)
    texts = [str(tmp_path / name) for name in ("maps", "labelme", "coco")]
    found = compare(ComparisonRequest(tuple(texts), classes=lines))

    assert found.pair_table()["matched"].tolist() == [2, 2, 2]
    assert found.pair_table()["f1"].tolist() == [1, 1, 1]


def test_fields_that_one_has_not_are_told(request_of_two, tmp_path):
    (tmp_path / "b" / "f2.png").unlink()
    plan = plan_comparison(request_of_two)

    assert plan.fields == ("f1",)
    assert plan.notes == ("a: left out, as not all have them: f2 (1).",)
    Image.new("L", (64, 40)).save(tmp_path / "g.png")
    beside = dataclasses.replace(request_of_two, micrographs=(tmp_path / "g.png",))
    told = "Without a micrograph of their name among those given: f1 (1)."
    assert plan_comparison(beside).notes[-1] == told
    (tmp_path / "b" / "f1.png").rename(tmp_path / "b" / "other.png")
    with pytest.raises(DefectKerasError, match="a: f1, f2; b: other"):
        plan_comparison(request_of_two)


def test_sizes_must_be_the_same(request_of_two, tmp_path):
    write_label_map(np.ones((64, 40), np.int32), tmp_path / "b" / "f1.png")
    with pytest.raises(DefectKerasError, match=r"f1.*a \(40, 64\), b \(64, 40\)"):
        compare(request_of_two)


def test_everything_is_written_and_older_results_stay(request_of_two, tmp_path):
    compare_into_folder(request_of_two, tmp_path / "out", command="defectkeras compare")

    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"comparison.html", "comparison.json", "counts.csv", "figures"} <= names
    plain = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert plain["counts"] == [
        {"class_name": "void", "a": 10, "b": 8, "difference_percent b": -20.0}
    ]
    with pytest.raises(DefectKerasError, match="--overwrite"):
        compare_into_folder(request_of_two, tmp_path / "out")
    compare_into_folder(request_of_two, tmp_path / "out", overwrite=True)


@pytest.mark.slow
def test_a_model_is_run_and_held_against_two_people(
    tmp_path, synthetic_spec, tiny_registry
):
    spec = load_dataset_spec(synthetic_spec)
    folder = spec.examples[0].annotation_path.parent
    for who in ("anna", "ben"):
        (tmp_path / who).mkdir()
    for example in spec.examples[:2]:
        name = f"{example.micrograph_path.stem}.png"
        with Image.open(folder / example.annotation_path.name) as image:
            image.save(tmp_path / "anna" / name)
            image.save(tmp_path / "ben" / name)
    request = ComparisonRequest(
        (str(tmp_path / "anna"), str(tmp_path / "ben"), "tiny@1"),
        classes=tuple(f"{c.name}:{c.kind}" for c in spec.scheme.defects),
        micrographs=(spec.examples[0].micrograph_path.parent,),
        registry_root=tiny_registry,
    )
    found = compare(request)

    assert [a.is_model for a in found.annotators] == [False, False, True]
    assert {s.model for s in found.spreads} == {"tiny@1"}
    assert len(found.fields) == 2


@pytest.mark.slow
def test_two_annotators_of_real_micrographs(shared_data):
    """The figures of the data's authors: counts, areas, IoU and mean diameters."""
    folder = shared_data("loops_ti")
    frames = json.loads((folder / "reference_quantities.json").read_text())
    request = ComparisonRequest(
        tuple(f"{who}={folder / f'instances_annotator_{who}'}" for who in "ab"),
        hints=OBJECTS,
        classes=("loop",),
        pixel_size_nm=0.2554,
        foil_thickness_nm=170,
    )
    found = compare(request)

    (row,) = found.count_table().to_dict("records")
    assert row["a"] == sum(f["annotator_a"]["count"] for f in frames) == 2440
    assert row["b"] == sum(f["annotator_b"]["count"] for f in frames) == 1843
    ious = found.pixels.set_index("field")["iou"]
    values = found.values.set_index(["field", "label", "name"])["value"]
    for frame in frames:
        name = f"frame_{frame['frame']:04d}"
        assert ious[name] == pytest.approx(frame["iou_a_b"], abs=1e-9)
        for who in "ab":
            theirs = frame[f"annotator_{who}"]
            assert values[name, who, "count"] == theirs["count"]
            assert values[name, who, "area_fraction_percent"] == pytest.approx(
                100 * theirs["area_fraction"]
            )
