from pathlib import Path
from unicodedata import normalize

import pytest

from defectkeras.datasets.form import SourceForm
from defectkeras.datasets.sources import annotation_pattern, find_files, find_pairs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (
        "images/b.png",
        "images/a.png",
        "images/._a.png",
        "images/note.txt",
        "images/deep.png/x.png",
        "masks/a.png",
        "foils/one/image.tif",
        "foils/two/image.tif",
        "odd [1]/{x}*.tif",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path


def test_files_are_paired_in_order_without_hidden_ones_and_folders(root):
    pairs, faults = find_pairs(
        SourceForm("s", "images/*.png", "masks/{stem}.png"), root
    )
    assert faults == ()
    assert [p.name for p in pairs] == ["a", "b"]
    assert pairs[1].micrograph_path == root / "images" / "b.png"
    assert pairs[1].annotation_path == root / "masks" / "b.png"  # may be missing
    assert pairs[1].specimen is None


def test_a_pattern_without_a_suffix_passes_over_what_is_no_micrograph(root):
    pairs, faults = find_pairs(SourceForm("s", "images/*", "masks/{stem}.png"), root)
    assert faults == ()
    assert [p.name for p in pairs] == ["a", "b"]


def test_a_folder_with_a_wildcard_is_in_the_name_and_can_be_the_specimen(root):
    source = SourceForm(
        "s", "foils/*/image.tif", "{folder}/mask.png", specimen="^(.*)/image$"
    )
    pairs, faults = find_pairs(source, root)
    assert faults == ()
    assert [p.name for p in pairs] == ["one/image", "two/image"]
    assert [p.specimen for p in pairs] == ["one", "two"]
    assert pairs[0].annotation_path == root / "foils" / "one" / "mask.png"


def test_a_mask_beside_its_micrograph_is_no_micrograph(root):
    (root / "images" / "a_mask.png").write_text("x")
    source = SourceForm("s", "images/*.png", "images/{stem}_mask.png")
    pairs, faults = find_pairs(source, root)
    assert faults == ()
    assert [p.name for p in pairs] == ["a", "b"]
    assert pairs[0].annotation_path == root / "images" / "a_mask.png"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("asked", ["NFC", "NFD"])
def test_names_are_the_same_in_every_form_of_unicode(tmp_path, form, asked):
    folder, stem = normalize(form, "größe"), normalize(asked, "ä")
    for name in (f"{folder}/{stem}.tif", f"{folder}/{normalize(form, 'ä')}_mask.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    pattern = normalize(asked, "größe/*.tif")

    pairs, faults = find_pairs(
        SourceForm("s", pattern, "{folder}/{stem}_mask.tif"), tmp_path
    )
    assert faults == ()
    assert [p.name for p in pairs] == [normalize("NFC", "ä")]
    assert pairs[0].annotation_path.is_file()


def test_signs_in_names_are_no_patterns(root):
    source = SourceForm("s", "odd [[]1]/*.tif", "{folder}/{stem}.png")
    (pair,), faults = find_pairs(source, root)
    assert faults == ()
    assert pair.annotation_path == root / "odd [1]" / "{x}*.png"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("images/*.tif", "holds a.png, b.png, deep.png, ..."),
        ("pictures/*.png", "pictures does not exist"),
        ("images/deep.png/*.tif", "holds x.png"),
    ],
)
def test_no_match_says_what_is_there(root, pattern, message):
    pairs, (fault,) = find_pairs(SourceForm("s", pattern, "{stem}.png"), root)
    assert pairs == ()
    assert message in fault


@pytest.mark.parametrize("pattern", ["x**y/*.png", "a" * 300 + "/*.png"])
def test_a_pattern_that_no_search_takes_is_told(root, pattern):
    pairs, (fault,) = find_pairs(SourceForm("s", pattern, "{stem}.png"), root)
    assert pairs == ()
    assert pattern in fault


def test_two_suffixes_of_one_name_are_told(root):
    (root / "images" / "a.tif").write_text("x")
    source = SourceForm("s", "images/[ab].*", "masks/{stem}.png")
    _, (fault,) = find_pairs(source, root)
    assert "two micrographs are named 'a'" in fault


def test_a_specimen_that_is_not_found_is_told(root):
    source = SourceForm("s", "images/*.png", "masks/{stem}.png", specimen="^(a)")
    _, (fault,) = find_pairs(source, root)
    assert "no specimen in 'b'" in fault


def test_wrong_patterns_are_told_elsewhere(root):
    assert find_pairs(SourceForm("s", "/x", "{stem}"), root) == ((), ())


@pytest.mark.parametrize(
    ("annotations", "found"),
    [
        ("masks/{stem}.png", ["masks/a.png"]),
        ("{folder}/image.tif", ["foils/one/image.tif", "foils/two/image.tif"]),
        ("foils/{stem}/image.tif", ["foils/one/image.tif", "foils/two/image.tif"]),
        ("odd [1]/{stem}*.tif", ["odd [1]/{x}*.tif"]),
    ],
)
def test_every_possible_annotation_is_found(root, annotations, found):
    pattern = annotation_pattern(SourceForm("s", "*", annotations))
    paths = [p.relative_to(root).as_posix() for p in find_files(root, pattern)]
    assert paths == found


def test_the_suffix_may_be_in_upper_or_lower_case(root):
    (root / "images" / "c.PNG").write_text("x")
    source = SourceForm("s", "images/*.png", "masks/{stem}.png")
    pairs, faults = find_pairs(source, root)
    assert faults == ()
    assert [p.name for p in pairs] == ["a", "b", "c"]
    assert pairs[2].annotation_path == root / "masks" / "c.png"
    assert [p.name for p in find_files(root, "images/a.Png")] == ["a.png"]
