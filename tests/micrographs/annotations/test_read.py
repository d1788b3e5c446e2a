import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import MicrographError
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.annotations.rasterize import draw_maps
from defectkeras.micrographs.annotations.read import Hints, read_annotation
from defectkeras.micrographs.annotations.write import (
    SUFFIXES,
    write_annotation,
)


@pytest.mark.parametrize("target", SUFFIXES)
def test_every_format_comes_back(tmp_path, target, scheme, class_map, label_map):
    path = tmp_path / f"a{SUFFIXES[target]}"
    drawing = draw_maps(class_map, scheme, label_map=label_map)
    maps = (class_map, label_map)
    write_annotation(drawing, maps, path, target, image_name="a.tif")
    hints = Hints(size=class_map.shape)
    if target == "labels":
        hints = Hints(encoding="objects", object_class="void")

    read = read_annotation(path, scheme, hints)

    if target == "labels":
        np.testing.assert_array_equal(read.label_map, label_map)
    else:
        np.testing.assert_array_equal(read.class_map, class_map)
    assert (read.label_map is None) == (target == "classes")
    assert read.overlapping == 0


def test_classes_or_objects_is_said_and_never_guessed(tmp_path, scheme):
    values = np.array([[0, 1, 1], [2, 2, 0]], np.int32)
    tifffile.imwrite(tmp_path / "napari.tif", values)
    tifffile.imwrite(tmp_path / "ilastik.tif", (values + 1).astype(np.uint8))

    classes = read_annotation(tmp_path / "napari.tif", scheme)
    np.testing.assert_array_equal(classes.class_map, values)
    hints = Hints(encoding="objects", object_class="void")
    objects = read_annotation(tmp_path / "napari.tif", scheme, hints)
    np.testing.assert_array_equal(objects.class_map, np.where(values > 0, 2, 0))
    np.testing.assert_array_equal(objects.label_map, values)
    ilastik = read_annotation(
        tmp_path / "ilastik.tif", scheme, Hints(encoding="class_index_from_1")
    )
    np.testing.assert_array_equal(ilastik.class_map, values)
    with pytest.raises(MicrographError, match="phase-1, void"):
        read_annotation(tmp_path / "napari.tif", scheme, Hints(encoding="objects"))


def test_colors(tmp_path, scheme):
    Image.fromarray(np.uint8([[[9, 9, 9], [255, 0, 0]]])).save(tmp_path / "a.png")
    hints = Hints(encoding="colors", colors=("#090909", "#00ff00", "#ff0000"))

    read = read_annotation(tmp_path / "a.png", scheme, hints)
    np.testing.assert_array_equal(read.class_map, [[0, 2]])


def test_a_width_in_nm_needs_the_pixel_size(tmp_path, scheme):
    shape = {"label": "void", "shape_type": "line", "points": [[5, 9], [35, 9]]}
    content = {"shapes": [shape], "imageHeight": 20, "imageWidth": 40}
    (tmp_path / "a.json").write_text(json.dumps(content))
    micrograph = Micrograph(np.zeros((20, 40), np.float32), Calibration(0.5), "a")
    hints = Hints(line_width_nm=2.0)

    read = read_annotation(tmp_path / "a.json", scheme, hints.of(micrograph))

    assert np.count_nonzero(read.class_map[:, 20]) == 4
    assert read.drawn_lengths_px == {"void": 30}
    with pytest.raises(MicrographError, match="must have a width"):
        read_annotation(tmp_path / "a.json", scheme, hints)


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.json", "", "must be JSON"),
        ("a.json", "[1]", "Export it as COCO"),
        ("a.json", '{"shapes": NaN}', "must be JSON"),
        ("a.json", '{"regions": []}', "Received: regions. Export it as COCO"),
        ("a.json", json.dumps(dict.fromkeys("abcdefg")), "c, d, e and 2 more. Export"),
        ("a.json", '{"shapes": [{}], "imageHeight": 2, "imageWidth": 3}', "label"),
        ("a.json", "[" * 100_000, "must be JSON"),
        ("a.json", '{"images": [], "annotations": 3, "categories": []}', "a list"),
        (
            "a.json",
            '{"images": [1], "annotations": 3, "categories": []}',
            "a list",
        ),
        ("a.zip", "PK", "must be a whole"),
        ("a.roi", "Iout", "must be a whole"),
        ("a.roi", "", "must be a whole"),
    ],
)
def test_a_bad_file_is_one_line_with_its_name(tmp_path, scheme, name, text, what):
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(MicrographError, match=what) as error:
        read_annotation(path, scheme, Hints(size=(20, 30)))
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_and_regions_without_a_size(tmp_path, scheme):
    with pytest.raises(MicrographError, match="nothing of this name"):
        read_annotation(tmp_path / "a.json", scheme)
    (tmp_path / "a.roi").write_bytes(b"")
    with pytest.raises(MicrographError, match="need the size"):
        read_annotation(tmp_path / "a.roi", scheme)
