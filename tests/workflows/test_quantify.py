"""Masks from any tool, measured."""

import json
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DatasetError, DefectKerasError, MicrographError
from defectkeras.core.labels import scheme_of_names
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.annotations.coco import write_coco
from defectkeras.micrographs.annotations.imagej import write_imagej
from defectkeras.micrographs.annotations.shapes import Area, Drawing, Shape
from defectkeras.micrographs.write import write_micrograph
from defectkeras.workflows.quantify import (
    ClassMapRequest,
    quantify_class_map,
    quantify_into_folder,
)


def disc(shape=(90, 130), center=(40, 60), diameter=20):
    rows, columns = np.indices(shape)
    return np.hypot(rows - center[0], columns - center[1]) < diameter / 2


@pytest.fixture
def mask_path(tmp_path):
    path = tmp_path / "mask.png"
    Image.fromarray((disc() * 255).astype(np.uint8)).save(path)
    return path


def test_binary_mask_in_nanometres(mask_path):
    request = ClassMapRequest(mask_path, "binary", ("void",), pixel_size_nm=0.5)
    found = quantify_class_map(request)
    diameter = found.find("void", "mean_equivalent_diameter_nm")
    assert found.find("void", "count").value == 1
    assert diameter.value == pytest.approx(10.0, rel=0.02)
    assert found.calibration.pixel_size_source == "user"


def test_0_255_mask_as_classes_asks_for_the_encoding(mask_path):
    with pytest.raises(MicrographError, match="binary"):
        quantify_class_map(ClassMapRequest(mask_path))


def test_touching_objects_with_numbers_stay_two(tmp_path):
    label_map = np.zeros((60, 80), np.uint16)
    label_map[10:30, 10:30] = 7
    label_map[10:30, 30:50] = 9
    path = tmp_path / "labels.tif"
    tifffile.imwrite(path, label_map)
    request = ClassMapRequest(path, "objects", ("loop",))
    assert quantify_class_map(request).find("loop", "count").value == 2


def test_a_tiff_keeps_its_own_scale(tmp_path):
    path = tmp_path / "mask.tif"
    metadata = {"unit": "nm"}
    mask = disc().astype(np.uint8)
    tifffile.imwrite(path, mask, imagej=True, resolution=(2, 2), metadata=metadata)
    own = quantify_class_map(ClassMapRequest(path)).calibration
    assert (own.pixel_size_nm, own.pixel_size_source) == (0.5, "ImageJ description")
    told = quantify_class_map(ClassMapRequest(path, pixel_size_nm=2.0)).calibration
    assert (told.pixel_size_nm, told.pixel_size_source) == (2.0, "user")


def test_a_micrograph_is_not_taken_for_a_class_map(tmp_path):
    path = tmp_path / "grey.png"
    Image.fromarray(np.arange(200, dtype=np.uint8).reshape(10, 20)).save(path)
    with pytest.raises(DatasetError, match=r"values up to 199.*--encoding objects"):
        quantify_class_map(ClassMapRequest(path))


def test_classes_may_count_from_1_as_those_of_ilastik(tmp_path):
    path = tmp_path / "map.png"
    Image.fromarray(np.where(disc(), 2, 1).astype(np.uint8)).save(path)
    request = ClassMapRequest(path, "class_index_from_1", ("void",))
    (count,) = [q for q in quantify_class_map(request).quantities if q.name == "count"]
    assert (count.class_name, count.value) == ("void", 1)


def test_a_map_may_be_in_colors(tmp_path):
    path = tmp_path / "map.png"
    table = np.array([[0, 0, 0], [255, 0, 0]], np.uint8)
    Image.fromarray(table[disc().astype(int)]).save(path)
    with pytest.raises(MicrographError, match=r"2 colors.*#ff0000"):
        quantify_class_map(ClassMapRequest(path, "colors"))
    request = ClassMapRequest(path, "colors", colors=("#000000", "#ff0000"))
    assert quantify_class_map(request).find("class_1", "count").value == 1


def test_classes_without_names_are_numbered(tmp_path):
    class_map = np.zeros((40, 70), np.uint8)
    class_map[5:12, 5:12] = 2
    path = tmp_path / "map.png"
    Image.fromarray(class_map).save(path)
    found = quantify_class_map(ClassMapRequest(path))
    assert found.find("class_2", "count").value == 1
    assert found.find("class_1", "count").value == 0
    with pytest.raises(DatasetError, match="index 2 and 1 name"):
        quantify_class_map(ClassMapRequest(path, classes=("void",)))


def test_micrograph_gives_calibration_and_picture(mask_path, tmp_path):
    pixels = np.random.default_rng(0).normal(100, 5, (90, 130)).astype(np.float32)
    micrograph_path = tmp_path / "field.tif"
    write_micrograph(Micrograph(pixels, Calibration(2.0, 80.0), "f"), micrograph_path)
    request = ClassMapRequest(
        mask_path, "binary", ("void",), micrograph_path=micrograph_path
    )
    found = quantify_into_folder(request, tmp_path / "out")
    assert found.calibration.pixel_size_nm == pytest.approx(2.0, rel=1e-5)
    assert (tmp_path / "out" / "field" / "overlay.png").exists()
    assert (tmp_path / "out" / "report.html").exists()
    summary = json.loads((tmp_path / "out" / "field" / "summary.json").read_bytes())
    mask_sha256 = summary["settings"]["class_map_sha256"]
    assert summary["file"] == micrograph_path.name
    assert summary["sha256"] == sha256(micrograph_path.read_bytes()).hexdigest()
    assert mask_sha256 == sha256(mask_path.read_bytes()).hexdigest()
    table = pd.read_csv(tmp_path / "out" / "field" / "quantities.csv")
    assert list(table["name"]) == [q.name for q in found.quantities]
    with pytest.raises(DefectKerasError, match="--overwrite"):
        quantify_into_folder(request, tmp_path / "out")
    small = tmp_path / "small.tif"
    write_micrograph(Micrograph(pixels[:50], Calibration(2.0), "s"), small)
    with pytest.raises(MicrographError, match="height and width"):
        quantify_class_map(ClassMapRequest(mask_path, "binary", micrograph_path=small))


def test_a_data_bar_is_no_area(mask_path, tmp_path, write_sem):
    sem = write_sem(tmp_path / "sem.tif", np.zeros((90, 130), np.uint8), bar_px=20)
    request = ClassMapRequest(mask_path, "binary", ("void",), micrograph_path=sem)
    found = quantify_class_map(request)
    whole = quantify_class_map(ClassMapRequest(mask_path, "binary", ("void",)))
    name = "area_fraction_percent"
    share, share_of_all = (f.find("void", name).value for f in (found, whole))
    assert share == pytest.approx(share_of_all * 90 / 70)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:zarr")
def test_a_micrograph_may_be_a_folder(mask_path, tmp_path):
    zarr = pytest.importorskip("zarr", reason="extra `montages` is not installed")
    pixels = np.random.default_rng(0).random((90, 130), dtype=np.float32)
    zarr.create_array(store=str(tmp_path / "field.zarr"), data=pixels)
    request = ClassMapRequest(
        mask_path,
        encoding="binary",
        classes=("void",),
        micrograph_path=tmp_path / "field.zarr",
        pixel_size_nm=0.5,
    )
    quantities = quantify_class_map(request).quantities
    assert [q.value for q in quantities if q.name == "count"] == [1]


def test_unknown_kind_gets_the_nearest():
    with pytest.raises(DatasetError, match="Did you mean 'line'"):
        scheme_of_names(["dislocation:lin"])


def test_shapes_name_their_classes(tmp_path):
    box = [[10, 20], [30, 20], [30, 40], [10, 40]]
    shapes = [
        {"label": "void", "shape_type": "polygon", "points": box},
        {"label": "crack", "shape_type": "line", "points": [[5, 5], [75, 5]]},
    ]
    content = {"shapes": shapes, "imageHeight": 60, "imageWidth": 80}
    path = tmp_path / "field.json"
    path.write_text(json.dumps(content))
    with pytest.raises(MicrographError, match="width"):
        quantify_class_map(ClassMapRequest(path))
    found = quantify_class_map(ClassMapRequest(path, line_width_px=3.0))
    assert found.find("void", "count").value == 1
    assert found.objects["area_px"].tolist() == [400]
    assert found.find("crack", "line_count").value == 1
    named = ClassMapRequest(path, classes=("void", "crack:line"), line_width_px=3.0)
    assert [c.name for c in quantify_class_map(named).scheme.defects] == [
        "void",
        "crack",
    ]


def test_the_image_of_coco_is_that_of_the_micrograph(tmp_path):
    corners = np.array([[20.0, 10.0], [40.0, 10.0], [40.0, 30.0]])
    drawing = Drawing((60, 80), (Shape("void", Area((corners,))),))
    field = tmp_path / "a.tif"
    blank = Micrograph(np.ones((60, 80), np.float32), Calibration(0.5), "a")
    write_micrograph(blank, field)
    for names, what in ((("a.png", "b.png"), None), (("b.png",), r"'a'.*b\.png")):
        write_coco(dict.fromkeys(names, drawing), tmp_path / "all.json")
        request = ClassMapRequest(tmp_path / "all.json", micrograph_path=field)
        if what is None:
            assert quantify_class_map(request).find("void", "count").value == 1
        else:
            with pytest.raises(MicrographError, match=what):
                quantify_class_map(request)


def test_regions_of_imagej_take_the_size_of_the_micrograph(tmp_path):
    corners = np.array([[20.0, 10.0], [40.0, 10.0], [40.0, 30.0]])
    drawing = Drawing((60, 80), (Shape("void", Area((corners,))),))
    path = tmp_path / "RoiSet.zip"
    write_imagej(drawing, path)
    field = tmp_path / "field.tif"
    write_micrograph(
        Micrograph(np.ones((60, 80), np.float32), Calibration(0.5), "field"), field
    )
    with pytest.raises(MicrographError, match="micrograph"):
        quantify_class_map(ClassMapRequest(path))
    found = quantify_class_map(ClassMapRequest(path, micrograph_path=field))
    assert found.find("void", "count").value == 1
    assert found.calibration.pixel_size_nm == pytest.approx(0.5)


def test_one_class_may_be_named_for_objects_whatever_they_are_called(
    mask_path, tmp_path
):
    """The ROI manager calls regions by their place."""
    corners = np.array([[20.0, 10.0], [40.0, 10.0], [40.0, 30.0]])
    path = tmp_path / "RoiSet.zip"
    write_imagej(Drawing((90, 130), (Shape("0010-0020", Area((corners,))),)), path)
    request = ClassMapRequest(path, object_class="void", micrograph_path=mask_path)
    assert quantify_class_map(request).find("void", "count").value == 1
    mask = ClassMapRequest(mask_path, "binary", object_class="void")
    assert quantify_class_map(mask).find("void", "count").value == 1
    second = replace(mask, classes=("loop", "void"))
    assert quantify_class_map(second).find("void", "count").value == 1


def test_an_array_of_numpy_is_a_map_but_no_pickle(tmp_path):
    path = tmp_path / "labels.npy"
    labels = np.zeros((40, 70), np.int64)
    labels[5:12, 5:12], labels[5:12, 12:20] = 3, 900
    np.save(path, labels)
    found = quantify_class_map(ClassMapRequest(path, "objects", ("void",)))
    assert found.objects["area_px"].tolist() == [49, 56]
    np.save(path, np.array([[{}]], dtype=object), allow_pickle=True)
    with pytest.raises(MicrographError, match=r"labels\.npy"):
        quantify_class_map(ClassMapRequest(path))
    np.save(path, np.zeros((3, 4, 2), np.uint8))
    with pytest.raises(MicrographError, match="rows and columns"):
        quantify_class_map(ClassMapRequest(path))
