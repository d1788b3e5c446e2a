import time

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from defectkeras.datasets.check import find_problems, validate_dataset_spec
from defectkeras.datasets.fingerprint import fingerprint_examples
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.micrographs.annotations.coco import write_coco
from defectkeras.micrographs.annotations.shapes import Drawing


def messages(problems, severity=None):
    return [p.message for p in problems if severity in (None, p.severity)]


def test_a_right_set_has_no_problem(draw_set):
    assert validate_dataset_spec(draw_set()) == ()


def test_a_form_with_a_fault_is_one_problem(draw_set, tmp_path):
    path = draw_set({"license =": "licence ="})
    (problem,) = validate_dataset_spec(str(path))
    assert problem.path == path
    assert problem.severity == "error"
    assert problem.message.startswith("unknown key 'licence'")


def test_an_absent_root_is_one_problem(draw_set):
    path = draw_set({'root = "."': 'root = "elsewhere"'})
    (problem,) = validate_dataset_spec(path)
    assert "--root" in problem.message
    assert validate_dataset_spec(path, root=path.parent) == ()


def test_all_problems_are_told_at_once(tmp_path, draw_set, draw, mask, image):
    path = draw_set({'val = ["c"]': 'val = ["b", "x"]'})
    draw(tmp_path / "masks" / "a.png", (mask > 0) * np.uint8(255))  # 0/255
    draw(tmp_path / "masks" / "b.png", mask[:-1] + 3)  # size and classes
    draw(tmp_path / "masks" / "old.png", mask)  # no micrograph
    (tmp_path / "masks" / "c.png").unlink()
    draw(tmp_path / "images" / "d.png", image(9))  # no annotation, no split
    (tmp_path / "images" / "e.png").write_bytes(b"")
    draw(tmp_path / "masks" / "e.png", mask)
    problems = validate_dataset_spec(path)
    told = "\n".join(f"{p.severity} {p.path.name}: {p.message}" for p in problems)
    for part in (
        "error spec.toml: [split] val entry 'x' names nothing",
        "error spec.toml: [split] 'b' must be in one of train, val, test, unused",
        "error spec.toml: [split] 'c' must",
        "error spec.toml: [split] 'd' must",
        "error spec.toml: [split] 'e' must",
        "warning old.png: the annotation has no micrograph",
        "error a.png: must hold class indices. Received: only 0 and 255",
        "error b.png: must hold class indices from 0 to 2",
        "error b.png: the annotation must have the height and width",
        "error c.png: the micrograph needs its annotation",
        "error d.png: the micrograph needs its annotation",
        "error e.png: must hold an image. Received: an empty file",
    ):
        assert part in told
    assert len(problems) == 12
    assert all("\n" not in p.message for p in problems)


def test_one_micrograph_in_two_splits_is_an_error(tmp_path, draw_set, draw, image):
    path = draw_set()
    draw(tmp_path / "images" / "c.png", image(0))  # c is val, a is train
    (problem,) = find_problems(load_dataset_spec(path))
    assert problem.severity == "error"
    assert "in train (a) and in val (c)" in problem.message


def test_one_micrograph_twice_in_a_split_is_a_warning(tmp_path, draw_set, draw, image):
    path = draw_set()
    draw(tmp_path / "images" / "b.png", image(0))
    (problem,) = find_problems(load_dataset_spec(path))
    assert problem.severity == "warning"
    assert "as a and as b" in problem.message


def test_two_annotators_of_one_micrograph_are_no_problem(draw_set):
    second = '[[sources]]\nname = "two"\nmicrographs = "images/*.png"\n'
    second += 'annotations = "masks/{stem}.png"\n\n[split]'
    changes = {"[split]": second, '["a", "b"]': '["*/a", "*/b"]', '["c"]': '["*/c"]'}
    assert validate_dataset_spec(draw_set(changes)) == ()


def test_a_parted_specimen_is_named(tmp_path, draw_set, draw, mask, image):
    path = draw_set(
        {'["c"]': '["c", "a2"]', '{stem}.png"': '{stem}.png"\nspecimen = "(.)"'}
    )
    draw(tmp_path / "images" / "a2.png", image(7))
    draw(tmp_path / "masks" / "a2.png", mask)
    (problem,) = validate_dataset_spec(path)
    assert problem.severity == "warning"
    assert "specimen 'a' is in train and val" in problem.message


def test_one_annotation_for_all_is_an_error(draw_set):
    path = draw_set({"{stem}.png": "a.png"})
    told = messages(validate_dataset_spec(path), "error")
    assert told[0].startswith("3 micrographs (a, b, c) have this one annotation")
    assert len(told) == 1


def test_images_of_coco_without_a_micrograph_are_told(tmp_path, draw_set):
    path = draw_set({'"masks/{stem}.png"': '"all.json"'})
    names = ("a.tif", "b.tif", "c.tif", "d.tif", "e.tif")
    write_coco(dict.fromkeys(names, Drawing((24, 36), ())), tmp_path / "all.json")

    told = messages(validate_dataset_spec(path), "warning")
    assert told[0].startswith("2 of its images have no micrograph that matches")
    assert "d, e. Add" in told[0]


def test_a_micrograph_that_is_its_own_annotation_is_an_error(draw_set):
    path = draw_set({"masks/{stem}.png": "images/{stem}.png"})
    told = messages(validate_dataset_spec(path), "error")
    assert sum("is its own annotation" in message for message in told) == 3


def test_nothing_to_validate_with_is_a_warning(draw_set):
    path = draw_set({'["a", "b"]': '["a", "b", "c"]', 'val = ["c"]\n': ""})
    (problem,) = validate_dataset_spec(path)
    assert problem.severity == "warning"
    assert "none to validate" in problem.message


def test_a_class_that_never_occurs_is_a_warning(tmp_path, draw_set, draw, mask):
    path = draw_set()
    draw(tmp_path / "masks" / "c.png", np.where(mask == 2, 0, mask).astype(np.uint8))
    (problem,) = validate_dataset_spec(path)
    assert problem.severity == "warning"
    assert "class 2 ('line') occurs in no annotation of val" in problem.message


def test_a_class_that_covers_nearly_all_may_be_the_matrix(
    tmp_path, draw_set, draw, mask
):
    path = draw_set()
    for name in "abc":
        inverted = np.where(mask == 0, 1, np.where(mask == 1, 0, mask))
        draw(tmp_path / "masks" / f"{name}.png", inverted.astype(np.uint8))
    (problem,) = validate_dataset_spec(path)
    assert problem.severity == "warning"
    share = (mask == 0).mean()
    assert f"covers {share:.0%} of the annotated pixels" in problem.message
    assert "the masks are inverted" in problem.message


def test_pixel_sizes_must_fit_together(tmp_path, draw_set, image, write_spec):
    draw_set()
    for name, per_nm in zip("abc", (2.0, 0.5, None), strict=True):
        known = {"resolution": (per_nm, per_nm), "metadata": {"unit": "nm"}}
        tifffile.imwrite(
            tmp_path / "images" / f"{name}.tif",
            image(ord(name)),
            imagej=True,
            **(known if per_nm else {}),
        )
    path = write_spec(tmp_path, {"images/*.png": "images/*.tif"})
    unknown, ratio = validate_dataset_spec(path)
    assert unknown.message.startswith("the pixel size of 1 of 3 micrographs is not")
    assert "(c)" in unknown.message
    assert ratio.message.startswith("pixel sizes go from 0.5 to 2 nm")
    assert {unknown.severity, ratio.severity} == {"warning"}


def test_a_changed_file_is_told_with_the_new_fingerprint(
    tmp_path, draw_set, draw, mask
):
    path = draw_set()
    told = fingerprint_examples(load_dataset_spec(path).examples)
    path = draw_set({'root = "."': f'root = "."\nfingerprint = "{told}"'})
    assert validate_dataset_spec(path) == ()
    mask[0, 0] = 1
    draw(tmp_path / "masks" / "b.png", mask)
    (problem,) = validate_dataset_spec(path)
    assert problem.severity == "error"
    assert told in problem.message
    assert fingerprint_examples(load_dataset_spec(path).examples) in problem.message


def test_a_hundred_files_are_quick(tmp_path, draw, write_spec):
    rng = np.random.default_rng(0)
    mask = np.tile(np.repeat([0, 1, 2], 100).astype(np.uint8), (200, 1))
    for i in range(100):
        pixels = rng.integers(0, 255, (200, 300)).astype(np.uint8)
        draw(tmp_path / "images" / f"{i}.png", pixels)
        draw(tmp_path / "masks" / f"{i}.png", mask)
    changes = {'train = ["a", "b"]\nval = ["c"]': "fractions = [0.8, 0.2, 0]"}
    path = write_spec(tmp_path, changes)
    start = time.process_time()
    assert validate_dataset_spec(path) == ()
    assert time.process_time() - start < 5


@pytest.mark.parametrize("root", ["missing", "images"])
def test_a_wrong_root_is_told(draw_set, root):
    path = draw_set()
    assert messages(validate_dataset_spec(path, root=path.parent / root), "error")


FUZZ = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=40,
)
SIGNS = st.sampled_from(
    ["*", "**", "{", "}", "[", "]", "..", "/", "(", "\\\\", "é", ""]
)


@FUZZ
@given(st.sampled_from(["images/", "*.png", "{stem}", "^(.)", "a", "b"]), SIGNS)
def test_no_slip_in_a_pattern_stops_the_validation(draw_set, part, signs):
    path = draw_set({'{stem}.png"': '{stem}.png"\nspecimen = "^(.)"'})
    path.write_text(path.read_text().replace(f"{part}", f"{signs}"))
    for problem in validate_dataset_spec(path):
        assert problem.message
        assert "\n" not in problem.message


@FUZZ
@given(
    st.binary(max_size=40), st.integers(0, 120), st.sampled_from(["images", "masks"])
)
def test_no_damaged_file_stops_the_validation(draw_set, content, place, folder):
    path = draw_set()
    file = path.parent / folder / "a.png"
    whole = file.read_bytes()
    file.write_bytes(whole[:place] + content + whole[place + len(content) :])
    for problem in validate_dataset_spec(path):
        assert problem.message
        assert "\n" not in problem.message
