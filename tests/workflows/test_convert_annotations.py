import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from defectkeras.core.errors import DefectKerasError
from defectkeras.micrographs.annotations.maps import read_label_map, write_label_map
from defectkeras.micrographs.annotations.read import Hints
from defectkeras.workflows.convert_annotations import (
    ConversionRequest,
    convert_annotations,
    micrograph_paths,
)

OBJECTS = Hints(encoding="objects")


@pytest.fixture
def drawn(tmp_path):
    """Give label maps of two fields, with objects that touch."""
    labels = np.zeros((30, 44), np.int32)
    labels[3:9, 4:12], labels[3:9, 12:20], labels[20:25, 30:40] = 4, 9, 2
    (tmp_path / "drawn").mkdir()
    for name, values in (("a", labels), ("b", np.flip(labels))):
        write_label_map(values, tmp_path / "drawn" / f"{name}.tif")
    return tmp_path / "drawn"


@pytest.mark.parametrize("tool", ["labelme", "coco", "imagej"])
def test_out_to_a_tool_and_back(tmp_path, drawn, tool):
    there = ConversionRequest(
        drawn, tmp_path / tool, tool, hints=OBJECTS, classes=("loop",)
    )
    converted = convert_annotations(there)
    assert [dict(c.objects) for c in converted] == [{"loop": 3}] * 2

    for name in "ab":
        Image.new("L", (44, 30)).save(tmp_path / f"{name}.png")
    back = ConversionRequest(
        tmp_path / tool,
        tmp_path / "back",
        "labels",
        micrographs=(tmp_path / "a.png", tmp_path / "b.png"),
    )
    assert [c.objects["loop"] for c in convert_annotations(back)] == [3, 3]
    for name in "ab":
        before = read_label_map(drawn / f"{name}.tif")
        after = read_label_map(tmp_path / "back" / f"{name}.tif")
        pairs = np.unique(np.stack([before, after]).reshape(2, -1), axis=1)
        assert len(pairs[0]) == len(set(pairs[0])) == len(set(pairs[1])) == 4


def test_labelme_finds_the_micrograph_from_the_file(tmp_path, drawn, monkeypatch):
    (tmp_path / "fields").mkdir()
    for name in "ab":
        Image.new("L", (44, 30)).save(tmp_path / "fields" / f"{name}.png")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for target in ("labelme", "coco"):
        out, fields = Path("drawn") / target, Path("../fields")
        convert_annotations(
            ConversionRequest(
                drawn, out, target, OBJECTS, ("loop",), micrographs=(fields,)
            )
        )
    content = json.loads(Path("drawn/labelme/a.json").read_text())
    assert content["imagePath"] == "../../../fields/a.png"
    assert (Path("drawn/labelme") / content["imagePath"]).exists()
    content = json.loads(Path("drawn/coco/annotations.json").read_text())
    assert [i["file_name"] for i in content["images"]] == ["a.png", "b.png"]
    back = ConversionRequest(
        Path("drawn/labelme"), Path("back"), "labels", micrographs=(fields,)
    )
    assert [c.objects["loop"] for c in convert_annotations(back)] == [3, 3]


def test_people_draw_on_the_file_with_its_data_bar(tmp_path, drawn, write_sem):
    micrographs = tuple(
        write_sem(tmp_path / f"{name}.tif", np.zeros((36, 44), np.uint8), bar_px=6)
        for name in "ab"
    )
    there = ConversionRequest(
        drawn,
        tmp_path / "labelme",
        "labelme",
        hints=OBJECTS,
        classes=("loop",),
        micrographs=micrographs,
    )
    convert_annotations(there)
    content = json.loads((tmp_path / "labelme" / "a.json").read_text())
    assert content["imageHeight"] == 36


def test_all_images_are_in_one_file_of_coco(tmp_path, drawn):
    convert_annotations(ConversionRequest(drawn, tmp_path / "o", "coco", OBJECTS))

    content = json.loads((tmp_path / "o" / "annotations.json").read_text())
    assert [i["file_name"] for i in content["images"]] == ["a.png", "b.png"]
    assert len(content["annotations"]) == 6


def test_the_lengths_of_lines_and_overlaps_are_told(tmp_path):
    shapes = [
        {"label": "line", "shape_type": "linestrip", "points": [[5, 5], [35, 5]]},
        {"label": "line", "shape_type": "linestrip", "points": [[20, 1], [20, 21]]},
    ]
    content = {"shapes": shapes, "imageHeight": 30, "imageWidth": 44}
    (tmp_path / "a.json").write_text(json.dumps(content))
    request = ConversionRequest(
        tmp_path / "a.json", tmp_path / "o", "imagej", Hints(line_width_px=3)
    )
    (done,) = convert_annotations(request)

    assert done.drawn_lengths_px == {"line": 50}
    assert (done.overlapping, done.hidden) == (1, 0)
    assert json.dumps(done.to_dict())


def test_older_files_stay_and_a_dry_run_writes_nothing(tmp_path, drawn):
    request = ConversionRequest(drawn, tmp_path / "o", "labelme", OBJECTS)
    convert_annotations(request, dry_run=True)
    assert not (tmp_path / "o").exists()

    convert_annotations(request)
    with pytest.raises(DefectKerasError, match="--overwrite"):
        convert_annotations(request)
    convert_annotations(request, overwrite=True)


def test_two_micrographs_of_one_name_are_not_guessed_between(tmp_path):
    for name in ("a.tif", "b.tif", "a.png"):
        (tmp_path / name).touch()
    with pytest.raises(DefectKerasError, match=r"a\.png and .*a\.tif"):
        micrograph_paths([tmp_path])
    twice = [tmp_path / "a.tif", tmp_path / "b.tif", tmp_path / "a.tif"]
    assert micrograph_paths(twice) == {"a": twice[0], "b": twice[1]}


def test_an_annotation_without_its_micrograph_is_told(tmp_path, drawn):
    Image.new("L", (44, 30)).save(tmp_path / "a.png")
    request = ConversionRequest(
        drawn, tmp_path / "o", "labelme", OBJECTS, micrographs=(tmp_path / "a.png",)
    )
    with pytest.raises(DefectKerasError, match="none for 'b'\\. Name"):
        convert_annotations(request)
    assert not (tmp_path / "o").exists()


def test_nothing_is_written_when_the_last_one_cannot_be_read(tmp_path, drawn):
    (drawn / "c.tif").write_bytes(b"no map")
    with pytest.raises(DefectKerasError, match=r"c\.tif"):
        convert_annotations(
            ConversionRequest(drawn, tmp_path / "o", "labelme", OBJECTS)
        )
    assert not list((tmp_path / "o").iterdir())


def test_labelme_beside_its_images_is_read(tmp_path, drawn):
    beside = tmp_path / "beside"
    convert_annotations(ConversionRequest(drawn, beside, "labelme", OBJECTS))
    for name in "ab":
        Image.new("L", (44, 30)).save(beside / f"{name}.png")
    found = convert_annotations(ConversionRequest(beside, tmp_path / "o", "coco"))
    assert [sum(c.objects.values()) for c in found] == [3, 3]
