from unicodedata import normalize

import numpy as np
import pytest
import tifffile

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.errors import DatasetError, MicrographError
from defectkeras.datasets.check import validate_dataset_spec
from defectkeras.datasets.form import read_form
from defectkeras.datasets.spec import (
    inspect_form,
    load_dataset_spec,
    load_example,
)
from defectkeras.micrographs.annotations.coco import write_coco
from defectkeras.micrographs.annotations.labelme import write_labelme
from defectkeras.micrographs.annotations.rasterize import draw_maps

SECOND_SOURCE = '[[sources]]\nname = "sem"\nmicrographs = "images/*.png"\n'
SECOND_SOURCE += 'annotations = "masks/{stem}.png"\nlicense = "MIT"\n\n[split]'


def test_examples_are_found_paired_and_split(tmp_path, draw_set):
    spec = load_dataset_spec(draw_set())
    assert [(e.name, e.split, e.specimen) for e in spec.examples] == [
        ("a", "train", "a"),
        ("b", "train", "b"),
        ("c", "val", "c"),
    ]
    first = spec.examples[0]
    assert first.micrograph_path == tmp_path / "images" / "a.png"
    assert first.annotation_path == tmp_path / "masks" / "a.png"
    assert (first.source_name, first.hints.encoding, first.license) == (
        "tem",
        "class_index",
        "CC0-1.0",
    )
    assert spec.of_split("val") == spec.examples[2:]
    assert spec.of_split("test") == ()
    assert spec.scheme.num_classes == 3


def test_an_example_is_read_as_it_was_drawn(draw_set, mask, image):
    spec = load_dataset_spec(draw_set())
    loaded = load_example(spec.examples[1], spec.scheme)
    np.testing.assert_array_equal(loaded.class_map, mask)
    np.testing.assert_array_equal(loaded.micrograph.pixels, image(1))
    assert loaded.micrograph.shape == (24, 36)
    assert loaded.micrograph.calibration.pixel_size_source == "none"


def test_the_root_can_be_another_folder(tmp_path, draw_set, write_spec):
    draw_set()
    (tmp_path / "specs").mkdir()
    path = write_spec(tmp_path / "specs")
    assert len(load_dataset_spec(str(path), root=str(tmp_path)).examples) == 3
    path = write_spec(tmp_path / "specs", {'root = "."': 'root = ".."'})
    assert len(load_dataset_spec(path).examples) == 3


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_are_the_same_in_every_form_of_unicode(
    tmp_path, draw, image, mask, write_spec, form
):
    here, there = (
        normalize(f, "fälle") for f in (form, "NFC" if form == "NFD" else "NFD")
    )
    draw(tmp_path / here / "images" / f"{here}.png", image(0))
    draw(tmp_path / here / "masks" / f"{there}.png", mask)
    changes = {'"."': f'"{there}"', '["a", "b"]': f'["{there}"]', '["c"]': "[]"}
    path = write_spec(tmp_path, changes)

    spec = load_dataset_spec(path)
    assert [e.name for e in spec.of_split("train")] == [normalize("NFC", "fälle")]
    loaded = load_example(spec.examples[0], spec.scheme)
    assert loaded.micrograph.name == spec.examples[0].name
    assert [
        p for p in validate_dataset_spec(path) if "no micrograph" in p.message
    ] == []


def test_a_root_that_is_absent_says_where_the_files_are(tmp_path, write_spec):
    path = write_spec(tmp_path, {'root = "."': 'root = "data/x"'})
    with pytest.raises(DatasetError, match=r"data/x.*https://example.org.*--root"):
        load_dataset_spec(path)


def test_what_the_spec_tells_wins_over_the_file(draw_set):
    told = '{stem}.png"\npixel_size_nm = 2\nfoil_thickness_nm = 90.0'
    spec = load_dataset_spec(draw_set({'{stem}.png"': told}))
    calibration = load_example(spec.examples[0], spec.scheme).micrograph.calibration
    assert calibration.pixel_size_nm == 2.0
    assert calibration.foil_thickness_nm == 90.0
    assert calibration.pixel_size_source == "data spec"
    assert calibration.foil_thickness_source == "data spec"


def test_what_the_spec_does_not_tell_stays_that_of_the_file(
    tmp_path, draw_set, image, write_spec
):
    draw_set()
    for name in "abc":
        tifffile.imwrite(
            tmp_path / "images" / f"{name}.tif",
            image(0),
            imagej=True,
            resolution=(2.0, 2.0),  # pixels per nm
            metadata={"unit": "nm"},
        )
    told = '{stem}.png"\nfoil_thickness_nm = 90.0'
    changes = {'{stem}.png"': told, "images/*.png": "images/*.tif"}
    spec = load_dataset_spec(write_spec(tmp_path, changes))
    calibration = load_example(spec.examples[0], spec.scheme).micrograph.calibration
    assert calibration.pixel_size_nm == pytest.approx(0.5)
    assert calibration.pixel_size_source == "ImageJ description"
    assert calibration.foil_thickness_source == "data spec"


@pytest.mark.parametrize(
    ("encoding", "value"), [("binary", 255), ("binary", 1), ("objects", 7)]
)
def test_binary_and_object_annotations_show_their_class(
    tmp_path, draw_set, draw, mask, encoding, value
):
    told = f'{{stem}}.png"\nencoding = "{encoding}"\nobject_class = "line"'
    path = draw_set({'{stem}.png"': told})
    draw(tmp_path / "masks" / "a.png", np.where(mask == 2, value, 0).astype(np.uint8))
    spec = load_dataset_spec(path)
    loaded = load_example(spec.examples[0], spec.scheme)
    np.testing.assert_array_equal(loaded.class_map, np.where(mask == 2, 2, 0))


def test_255_is_not_annotated(tmp_path, draw_set, draw, mask):
    path = draw_set()
    mask[0, :5] = 255
    draw(tmp_path / "masks" / "a.png", mask)
    spec = load_dataset_spec(path)
    class_map = load_example(spec.examples[0], spec.scheme).class_map
    assert (class_map == NOT_ANNOTATED).sum() == 5


def test_several_sources_go_before_the_name_and_have_their_licences(draw_set):
    names = {'["a", "b"]': '["tem/*"]', '["c"]': '["sem/a"]', "[split]": SECOND_SOURCE}
    names['val = ["sem/a"]'] = 'val = ["sem/a"]\nunused = ["sem/[bc]"]'
    spec = load_dataset_spec(draw_set(names))
    assert [e.name for e in spec.examples] == ["tem/a", "tem/b", "tem/c", "sem/a"]
    assert [e.specimen for e in spec.examples][3] == "sem/a"
    assert [e.license for e in spec.examples] == ["CC0-1.0"] * 3 + ["MIT"]


def test_a_split_by_specimen_names_specimens(draw_set):
    rule = '[split]\nby = "specimen"'
    told = '{stem}.png"\nspecimen = "^([ab]|c)$"'
    spec = load_dataset_spec(draw_set({"[split]": rule, '{stem}.png"': told}))
    assert [e.split for e in spec.examples] == ["train", "train", "val"]


def test_unused_examples_are_left_out(draw_set):
    spec = load_dataset_spec(draw_set({'val = ["c"]': 'unused = ["c"]'}))
    assert [e.name for e in spec.examples] == ["a", "b"]


def test_all_faults_stand_in_one_line(draw_set):
    path = draw_set({'["a", "b"]': '["a", "bb"]', "images/*.png": "images/[ab].png"})
    with pytest.raises(DatasetError) as caught:
        load_dataset_spec(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    for part in ("'bb' names nothing", "'c' names nothing", "'b' must be in one"):
        assert part in message
    assert "\n" not in message


def test_many_faults_are_counted(draw_set):
    wrong = ", ".join(f'"x{i}"' for i in range(20))
    path = draw_set({'["c"]': f'["c", {wrong}]'})
    with pytest.raises(DatasetError, match="And 15 more; `defectkeras data validate`"):
        load_dataset_spec(path)


def test_with_faults_every_example_stays_in_sight(draw_set):
    path = draw_set({'["a", "b"]': '["a"]', '["c"]': '["a"]'})
    spec, faults = inspect_form(read_form(path), path)
    assert len(faults) == 3
    assert [e.name for e in spec.examples] == ["a", "b", "c"]


def test_other_sizes_are_refused(tmp_path, draw_set, draw, mask):
    path = draw_set()
    draw(tmp_path / "masks" / "a.png", mask[:, :-1])
    spec = load_dataset_spec(path)
    with pytest.raises(DatasetError, match=r"\(24, 36\). Received: \(24, 35\)"):
        load_example(spec.examples[0], spec.scheme)


def test_a_data_bar_is_left_out_of_micrograph_and_annotation(
    tmp_path, draw_set, mask, image, write_sem
):
    path = draw_set({"images/*.png": "images/*.tif"})
    for seed, name in enumerate("abc"):
        write_sem(tmp_path / "images" / f"{name}.tif", image(seed), bar_px=4)
    spec = load_dataset_spec(path)
    loaded = load_example(spec.examples[0], spec.scheme)
    np.testing.assert_array_equal(loaded.micrograph.pixels, image(0)[:20])
    np.testing.assert_array_equal(loaded.class_map, mask[:20])
    assert not [p for p in validate_dataset_spec(path) if p.severity == "error"]


def test_a_missing_annotation_is_found_when_it_is_read(tmp_path, draw_set):
    path = draw_set()
    (tmp_path / "masks" / "a.png").unlink()
    spec = load_dataset_spec(path)
    with pytest.raises(MicrographError, match=r"masks/a\.png"):
        load_example(spec.examples[0], spec.scheme)


@pytest.mark.parametrize("pattern", ["masks/{stem}.json", "masks/all.json"])
def test_annotations_may_be_shapes(tmp_path, draw_set, mask, pattern):
    path = draw_set({"masks/{stem}.png": pattern})
    spec = load_dataset_spec(path)
    drawing = draw_maps(mask.astype(np.int32), spec.scheme)
    for name in "abc":
        write_labelme(drawing, tmp_path / "masks" / f"{name}.json", image_name=name)
    images = {f"{name}.png": drawing for name in "abc"}
    write_coco(images, tmp_path / "masks" / "all.json")

    loaded = load_example(spec.examples[1], spec.scheme)

    np.testing.assert_array_equal(loaded.class_map, mask)
    assert len(np.unique(loaded.label_map)) == 4
    errors = [p for p in validate_dataset_spec(path) if p.severity == "error"]
    assert [e for e in errors if e.path.suffix == ".json"] == []


def test_each_class_has_its_color(tmp_path, draw_set, draw, mask):
    colors = 'encoding = "colors"\ncolors = ["#000000", "#ff0000", "#00ff00"]'
    path = draw_set({'{stem}.png"': f'{{stem}}.png"\n{colors}'})
    table = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], np.uint8)
    draw(tmp_path / "masks" / "a.png", table[mask])
    spec = load_dataset_spec(path)

    loaded = load_example(spec.examples[0], spec.scheme)
    np.testing.assert_array_equal(loaded.class_map, mask)
    path.write_text(path.read_text().replace(', "#00ff00"', ""))
    with pytest.raises(DatasetError, match="`colors` must be 3"):
        load_dataset_spec(path)
    for slip, what in (("#ff0000", "must differ"), ("red", "written as '#ff0000'")):
        path = draw_set({'{stem}.png"': f'{{stem}}.png"\n{colors}', "#00ff00": slip})
        with pytest.raises(DatasetError, match=what):
            load_dataset_spec(path)
