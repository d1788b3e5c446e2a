import json

import numpy as np
import pytest
from PIL import Image

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DatasetError, MicrographError
from defectkeras.core.labels import scheme_of_names
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.annotations.maps import write_label_map
from defectkeras.micrographs.annotations.rasterize import draw_maps
from defectkeras.micrographs.annotations.read import Hints
from defectkeras.micrographs.annotations.write import SUFFIXES, write_annotation
from defectkeras.workflows.annotated import find_fields, read_field, scheme_of_fields
from defectkeras.workflows.quantify import ClassMapRequest, quantify_into_folder

LABELS = np.zeros((30, 44), np.int32)
LABELS[3:9, 4:12], LABELS[3:9, 12:20] = 1, 2


@pytest.fixture
def analyzed(tmp_path, no_figures):
    """Give results of two fields as `analyze` and `quantify` write them."""
    for name in ("b", "a"):
        Image.fromarray((LABELS > 0).astype(np.uint8)).save(tmp_path / f"{name}.png")
        request = ClassMapRequest(
            tmp_path / f"{name}.png", classes=("void",), pixel_size_nm=0.5
        )
        quantify_into_folder(request, tmp_path / "results")
    return tmp_path / "results"


def labelme(path, *shapes):
    entries = [
        {"label": n, "shape_type": kind, "points": [[2, 3], [9, 3], [9, 9]]}
        for n, kind in shapes
    ]
    content = {"shapes": entries, "imageHeight": 30, "imageWidth": 44}
    path.write_text(json.dumps(content))


def test_results_of_analyze_tell_classes_and_calibration(analyzed):
    fields = find_fields(analyzed)

    assert [f.name for f in fields] == ["a", "b"]
    assert fields[0].calibration.pixel_size_nm == 0.5
    assert [c.name for c in scheme_of_fields(fields, Hints()).defects] == ["void"]
    (one,) = find_fields(analyzed / "a")
    scheme = scheme_of_fields([one], Hints(), ["ignored"])
    read = read_field(one, scheme, Hints(encoding="objects"))
    np.testing.assert_array_equal(read.class_map, LABELS > 0)


def test_a_result_names_no_place_elsewhere(analyzed):
    path = analyzed / "a" / "summary.json"
    summary = json.loads(path.read_text()) | {"micrograph": "../../elsewhere/a"}
    path.write_text(json.dumps(summary))

    assert [f.name for f in find_fields(analyzed)] == ["a", "b"]


def test_a_folder_gives_its_files_of_any_format(tmp_path):
    write_label_map(LABELS, tmp_path / "x.tif")
    labelme(tmp_path / "a\u0308.json", ("void", "polygon"))
    (tmp_path / "notes.txt").write_text("no annotation")
    (tmp_path / ".hidden.png").write_text("")

    assert [f.name for f in find_fields(tmp_path)] == ["x", "\u00e4"]


def test_a_file_of_coco_gives_each_image(tmp_path):
    images = [
        {"id": i, "file_name": f"f/{i}.tif", "height": 9, "width": 8} for i in (1, 2)
    ]
    content = {"images": images, "annotations": [], "categories": []}
    (tmp_path / "all.json").write_text(json.dumps(content))

    assert [f.name for f in find_fields(tmp_path / "all.json")] == ["1", "2"]


def test_images_beside_a_file_of_coco_are_no_annotations(tmp_path):
    images = [{"id": 1, "file_name": "1.png", "height": 9, "width": 8}]
    content = {"images": images, "annotations": [], "categories": []}
    (tmp_path / "all.json").write_text(json.dumps(content))
    (tmp_path / "1.png").touch()

    assert [f.path.name for f in find_fields(tmp_path)] == ["all.json"]


def test_shapes_tell_their_classes_and_kinds(tmp_path):
    labelme(tmp_path / "a.json", ("void", "polygon"), ("line", "linestrip"))
    labelme(tmp_path / "b.json", ("mixed", "polygon"), ("mixed", "linestrip"))

    scheme = scheme_of_fields(find_fields(tmp_path), Hints())
    assert [(c.name, c.kind) for c in scheme.defects] == [
        ("line", "line"),
        ("mixed", "region"),
        ("void", "region"),
    ]


@pytest.mark.parametrize("tool", ["labelme", "coco", "imagej"])
def test_outlines_of_lines_are_told_to_be_lines(tmp_path, tool):
    scheme = scheme_of_names(["void", "dislocation:line"])
    class_map = np.zeros((20, 33), np.int32)
    class_map[3:9, 4:10], class_map[14:17] = 1, 2
    path = tmp_path / f"a{SUFFIXES[tool]}"
    drawing, maps = draw_maps(class_map, scheme), (class_map, class_map)
    write_annotation(drawing, maps, path, tool, image_name="a.png")

    told = scheme_of_fields(find_fields(path), Hints())
    assert [(c.name, c.kind) for c in told.defects] == [
        ("dislocation", "line"),
        ("void", "region"),
    ]


def test_numbers_need_to_be_told(tmp_path):
    write_label_map(LABELS, tmp_path / "x.tif")
    fields = find_fields(tmp_path)

    with pytest.raises(DatasetError, match="--class"):
        scheme_of_fields(fields, Hints())
    assert scheme_of_fields(fields, Hints(), ["loop"]).defects[0].name == "loop"
    assert scheme_of_fields(fields, Hints(encoding="objects")).num_classes == 2


def test_sizes_must_be_those_of_the_micrograph(tmp_path):
    write_label_map(LABELS, tmp_path / "x.tif")
    (field,) = find_fields(tmp_path / "x.tif")
    micrograph = Micrograph(np.zeros((44, 30), np.float32), Calibration(), "x")
    hints = Hints(encoding="objects")

    with pytest.raises(MicrographError, match=r"\(44, 30\). Received: \(30, 44\)"):
        read_field(field, scheme_of_fields([field], hints), hints, micrograph)


@pytest.mark.parametrize("rows", [30, 24])
def test_an_annotation_is_with_the_data_bar_or_without(tmp_path, rows):
    write_label_map(LABELS[:rows], tmp_path / "x.tif")
    (field,) = find_fields(tmp_path / "x.tif")
    pixels = np.zeros((24, 44), np.float32)
    micrograph = Micrograph(pixels, Calibration(), "x", data_bar_px=6)
    hints = Hints(encoding="objects")

    scheme = scheme_of_fields([field], hints)
    annotation = read_field(field, scheme, hints, micrograph)
    np.testing.assert_array_equal(annotation.label_map, LABELS[:24])
    assert annotation.class_map.shape == (24, 44)


def test_nothing_or_two_of_one_name_is_an_error(tmp_path):
    with pytest.raises(MicrographError, match="nothing there"):
        find_fields(tmp_path / "none")
    with pytest.raises(MicrographError, match="Received: none"):
        find_fields(tmp_path)
    for name in ("x.tif", "x.png"):
        write_label_map(LABELS, tmp_path / name)
    with pytest.raises(MicrographError, match="two named 'x'"):
        find_fields(tmp_path)


@pytest.mark.parametrize("name", ["a.geojson", "a.xml", "a.csv"])
def test_other_files_are_refused_with_what_to_do(tmp_path, name):
    (tmp_path / name).write_text("{}")

    with pytest.raises(MicrographError, match=r"must be an annotation .* Export it"):
        find_fields(tmp_path / name)


def test_a_broken_json_is_told_as_one(tmp_path):
    (tmp_path / "x.json").write_text('{"shapes": [')
    with pytest.raises(MicrographError, match=r"x\.json: must be JSON. .* Save it"):
        find_fields(tmp_path)
