import json

import numpy as np
import pytest

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.annotations.coco import (
    image_names,
    read_coco,
    write_coco,
)
from defectkeras.micrographs.annotations.rasterize import draw_maps, rasterize
from defectkeras.micrographs.annotations.shapes import Drawing, Line, Shape


def content(segmentation, **changes):
    annotation = {"id": 5, "image_id": 70, "category_id": 9} | {
        "segmentation": segmentation
    }
    return {
        "images": [
            {"id": 70, "file_name": "set/a.tif", "height": 20, "width": 30},
            {"id": 7, "file_name": "b.tif", "height": 20, "width": 30},
        ],
        "categories": [{"id": 9, "name": "void"}, {"id": 2, "name": "phase-1"}],
        "annotations": [annotation | changes],
    }


def test_maps_of_two_images_come_back(tmp_path, scheme, class_map, label_map):
    drawing = draw_maps(class_map, scheme, label_map=label_map)
    turned = draw_maps(class_map.T.copy(), scheme, label_map=label_map.T.copy())
    write_coco({"a.tif": drawing, "b.tif": turned}, tmp_path / "all.json")
    written = json.loads((tmp_path / "all.json").read_text())

    for name, expected in (("a", class_map), ("b.tif", class_map.T)):
        maps = rasterize(read_coco(written, image_name=name), scheme)
        np.testing.assert_array_equal(maps.class_map, expected)
        assert len(np.unique(maps.label_map)) == 7
    first = written["annotations"][0]
    assert first["bbox"] == [2, 2, 5, 6]  # x, y, width, height
    assert first["area"] == 30
    assert [a["iscrowd"] for a in written["annotations"]].count(1) == 2


def test_polygons_count_from_the_corner_and_parts_add_up(scheme):
    parts = [[2, 3, 12, 3, 12, 8, 2, 8], [8, 3, 20, 3, 20, 8, 8, 8]]
    maps = rasterize(read_coco(content(parts), image_name="a"), scheme)

    rows, columns = np.nonzero(maps.label_map)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (3, 7, 2, 19)
    assert np.count_nonzero(maps.class_map == 2) == 18 * 5


def test_an_annotation_of_no_image_is_refused():
    lost = content([[2, 3, 12, 3, 12, 8]], image_id=99)

    with pytest.raises(MicrographError, match=r"1 of none, .* id 5 and image_id 99"):
        read_coco(lost, image_name="a")


@pytest.mark.parametrize("counts", [[43, 4, 16, 4, 533], "[14`04P`0"])
def test_run_lengths_go_down_the_columns(scheme, counts):
    if isinstance(counts, str):
        from defectkeras.micrographs.annotations.run_length import text_of_counts

        counts = text_of_counts([43, 4, 16, 4, 533])
    segmentation = {"size": [20, 30], "counts": counts}
    maps = rasterize(read_coco(content(segmentation), image_name="a"), scheme)

    expected = np.zeros((20, 30), int)
    expected[3:7, 2:4] = 2
    np.testing.assert_array_equal(maps.class_map, expected)


def test_crowds_are_not_annotated(scheme):
    segmentation = {"size": [20, 30], "counts": [43, 4, 553]}
    drawing = read_coco(content(segmentation, iscrowd=1), image_name="a")

    assert np.unique(rasterize(drawing, scheme).class_map).tolist() == [-1, 0]


def test_cvat_calls_every_mask_a_crowd(scheme):
    segmentation = {"size": [20, 30], "counts": [43, 4, 553]}
    changes = {"iscrowd": 1, "attributes": {"occluded": False}}
    drawing = read_coco(content(segmentation, **changes), image_name="a")

    assert np.unique(rasterize(drawing, scheme).class_map).tolist() == [0, 2]


def test_supervision_calls_objects_with_holes_a_crowd(scheme):
    segmentation = {"size": [20, 30], "counts": [43, 4, 553]}
    told = content(segmentation, iscrowd=1)
    for category in told["categories"]:
        category["supercategory"] = "common-objects"

    drawing = read_coco(told, image_name="a")

    assert np.unique(rasterize(drawing, scheme).class_map).tolist() == [0, 2]


def test_what_is_not_annotated_keeps_its_name_in_cvat(tmp_path, scheme, class_map):
    write_coco({"a.tif": draw_maps(class_map, scheme)}, tmp_path / "all.json")
    written = json.loads((tmp_path / "all.json").read_text())
    for annotation in written["annotations"]:
        annotation |= {"iscrowd": 0, "attributes": {"occluded": False}}

    maps = rasterize(read_coco(written, image_name="a"), scheme)
    np.testing.assert_array_equal(maps.class_map, class_map)


def test_label_studio_puts_digits_before_names():
    exported = content([[0, 0, 9, 0, 9, 9]], image_id=7)
    first, second = exported["images"]
    first["file_name"] = r"images\f8d1a2b3-a.tif"
    second["file_name"] = "images/0123abcd-b.tif"
    with pytest.raises(MicrographError, match="must have one image named 'b'"):
        read_coco(exported, image_name="b")
    exported["info"] = {"contributor": "Label Studio"}
    assert len(read_coco(exported, image_name="b").shapes) == 1
    assert image_names(exported) == ["images\\a.tif", "images/b.tif"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"images": None}, "`images` must be a list"),
        ({"annotations": [None]}, "`annotations` must be a list"),
        ({"categories": [{"id": 9}]}, "`name` must be a text"),
        ({"images": [{"id": 70}]}, "`file_name` must be a text"),
        ({"images": [{"id": 70, "file_name": "a"}] * 2}, "an id of its own"),
    ],
)
def test_a_broken_list_is_named(changes, what):
    with pytest.raises(MicrographError, match=what):
        read_coco(content([[0, 0, 9, 0, 9, 9]]) | changes, image_name="a")


def test_the_image_is_found_by_file_name_or_stem():
    for name in ("set/a.tif", "a.tif", "a"):
        assert (
            len(read_coco(content([[0, 0, 9, 0, 9, 9]]), image_name=name).shapes) == 1
        )
    assert read_coco(content([[0, 0, 9, 0, 9, 9]]), image_name="b").shapes == ()
    with pytest.raises(MicrographError, match=r"named 'c'.*set/a\.tif, b\.tif"):
        read_coco(content([]), image_name="c")
    with pytest.raises(MicrographError, match="2 images"):
        read_coco(content([]))


def test_a_line_becomes_its_pixels(tmp_path, scheme):
    line = Line(np.array([[5.0, 5.0], [5.0, 25.0]]), 4.0)
    write_coco({"a": Drawing((20, 30), (Shape("void", line),))}, tmp_path / "a.json")
    maps = rasterize(read_coco(json.loads((tmp_path / "a.json").read_text())), scheme)

    assert np.count_nonzero(maps.class_map) == pytest.approx(80 + 12, rel=0.05)


@pytest.mark.parametrize(
    ("segmentation", "changes", "what"),
    [
        (None, {}, "must have a segmentation"),
        ([], {}, "must have a segmentation"),
        ([[1, 2, 3, 4]], {}, "3 points or more"),
        ([[1, 2, 3, 4, 5, 6, 7]], {}, "3 points or more"),
        ({"size": [30, 20], "counts": [600]}, {}, "size"),
        ({"size": [20, 30], "counts": [599]}, {}, "add up"),
        ([[0, 0, 9, 0, 9, 9]], {"category_id": 4}, "category_id"),
    ],
)
def test_what_is_no_annotation_is_an_error(segmentation, changes, what):
    with pytest.raises(MicrographError, match=what):
        read_coco(content(segmentation, **changes), image_name="a")


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("train/images/a.tif", "a"),
        (r"train\images\a.tif", "a"),
        ("a\u0308.tif", "\u00e4"),
        ("\u00e4.tif", "a\u0308"),
    ],
)
def test_an_image_is_known_by_the_end_of_its_path(file_name, name):
    written = content([[2, 2, 8, 2, 8, 9]])
    written["images"][0]["file_name"] = file_name
    assert len(read_coco(written, image_name=name).shapes) == 1


def test_two_images_of_one_name_are_told():
    written = content([[2, 2, 8, 2, 8, 9]])
    written["images"][1]["file_name"] = "set/a.tif"
    with pytest.raises(MicrographError, match="Received: 2 of them"):
        read_coco(written, image_name="a")
