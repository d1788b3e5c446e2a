import hashlib
import re

import numpy as np
import pytest
import tifffile
from PIL import Image

from defectkeras.datasets.facts import gather_facts
from defectkeras.datasets.spec import load_dataset_spec


def test_facts_of_what_was_drawn(tmp_path, draw_set):
    facts = gather_facts(load_dataset_spec(draw_set()))
    assert [f.example.name for f in facts] == ["a", "b", "c"]
    first = facts[0]
    assert first.problems == ()
    assert first.class_counts == (24 * 36 - 16 - 64 - 36, 16 + 64, 36)
    files = [tmp_path / "images" / "a.png", tmp_path / "masks" / "a.png"]
    assert first.digests == tuple(
        hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    )
    assert first.calibration.pixel_size_nm is None
    assert len({f.pixel_digest for f in facts}) == 3


def test_the_same_grey_levels_are_known_in_another_file(tmp_path, draw_set, image):
    path = draw_set()
    Image.fromarray(image(1)).save(tmp_path / "images" / "a.png", compress_level=1)
    facts = gather_facts(load_dataset_spec(path))
    assert facts[0].digests[0] != facts[1].digests[0]
    assert facts[0].pixel_digest == facts[1].pixel_digest


def test_pixels_that_nobody_annotated_are_in_no_class(tmp_path, draw_set, draw, mask):
    path = draw_set()
    mask[0] = 255
    draw(tmp_path / "masks" / "a.png", mask)
    facts = gather_facts(load_dataset_spec(path))
    assert sum(facts[0].class_counts) == 23 * 36


def test_an_unreadable_pair_has_no_facts_and_two_problems(tmp_path, draw_set):
    path = draw_set()
    (tmp_path / "images" / "a.png").write_bytes(b"no picture")
    (tmp_path / "masks" / "a.png").write_bytes(b"")
    first, *rest = gather_facts(load_dataset_spec(path))
    assert (first.pixel_digest, first.calibration, first.class_counts) == (None,) * 3
    assert [p.path.parent.name for p in first.problems] == ["images", "masks"]
    assert [p.severity for p in first.problems] == ["error", "error"]
    assert [f.problems for f in rest] == [(), ()]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (lambda m: m[:, :20], r"height and width of its micrograph, \(24, 36\)"),
        (lambda m: np.ascontiguousarray(m.T), "turn the annotation"),
        (lambda m: m * 3, "class indices from 0 to 2.*Received: 3, 6"),
        (lambda m: m + 1, "count from 1"),
        (lambda m: (m > 0) * np.uint8(255), 'Did you mean encoding = "binary"'),
        (lambda m: np.full_like(m, 255), "255"),
    ],
)
def test_a_wrong_annotation_is_told(tmp_path, draw_set, draw, mask, values, message):
    path = draw_set()
    draw(tmp_path / "masks" / "a.png", values(mask))
    (problem,) = gather_facts(load_dataset_spec(path))[0].problems
    assert problem.path == tmp_path / "masks" / "a.png"
    assert re.search(message, problem.message)
    assert not problem.message.startswith(str(tmp_path))


def test_size_and_classes_of_one_file_are_told_at_once(tmp_path, draw_set, draw, mask):
    path = draw_set()
    draw(tmp_path / "masks" / "a.png", mask[:, :20] * 3)
    problems = gather_facts(load_dataset_spec(path))[0].problems
    assert len(problems) == 2


def test_a_missing_annotation_names_both_files(tmp_path, draw_set):
    path = draw_set()
    (tmp_path / "masks" / "a.png").unlink()
    (problem,) = gather_facts(load_dataset_spec(path))[0].problems
    assert problem.path == tmp_path / "images" / "a.png"
    assert str(tmp_path / "masks" / "a.png") in problem.message


def test_a_micrograph_without_contrast_is_a_warning(tmp_path, draw_set, draw):
    path = draw_set()
    draw(tmp_path / "images" / "a.png", np.full((24, 36), 7, np.uint8))
    (problem,) = gather_facts(load_dataset_spec(path))[0].problems
    assert problem.severity == "warning"
    assert "one grey level, 7" in problem.message


def test_pixel_sizes_of_file_and_spec_that_differ_are_a_warning(
    tmp_path, draw_set, image, write_spec
):
    draw_set()
    for name, per_nm in zip("abc", (2.0, 2.001, 1.0), strict=True):
        tifffile.imwrite(
            tmp_path / "images" / f"{name}.tif",
            image(ord(name)),
            imagej=True,
            resolution=(per_nm, per_nm),
            metadata={"unit": "nm"},
        )
    told = '{stem}.png"\npixel_size_nm = 0.5'
    changes = {'{stem}.png"': told, "images/*.png": "images/*.tif"}
    facts = gather_facts(load_dataset_spec(write_spec(tmp_path, changes)))
    assert [len(f.problems) for f in facts] == [0, 0, 1]
    assert "the file says 1 nm" in facts[2].problems[0].message
    assert facts[2].calibration.pixel_size_nm == 0.5


def test_a_swapped_pair_is_one_problem(tmp_path, draw_set):
    path = draw_set()
    for name in "abc":
        image, mask = (tmp_path / f / f"{name}.png" for f in ("images", "masks"))
        image_bytes = image.read_bytes()
        image.write_bytes(mask.read_bytes())
        mask.write_bytes(image_bytes)
    for facts in gather_facts(load_dataset_spec(path)):
        (problem,) = facts.problems
        assert problem.path == facts.example.annotation_path
        assert "micrograph and annotation look swapped" in problem.message
