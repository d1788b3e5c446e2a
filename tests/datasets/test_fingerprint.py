import hashlib
from dataclasses import replace

import pytest

from defectkeras.core.errors import DatasetError
from defectkeras.datasets.fingerprint import (
    combine_pairs,
    fingerprint_examples,
    fingerprint_files,
)
from defectkeras.datasets.spec import load_dataset_spec


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_it_is_the_sha256_of_the_sorted_sha256s(tmp_path):
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("two")
    lines = sorted([sha256("one"), sha256("two")])
    expected = "sha256:" + sha256("\n".join(lines))
    assert fingerprint_files([tmp_path / "a", tmp_path / "b"]) == expected
    assert fingerprint_files(iter([tmp_path / "b", tmp_path / "a"])) == expected


def test_names_do_not_count_and_contents_and_number_do(tmp_path):
    for name, text in {"a": "one", "b": "two", "c": "one", "d": "tow"}.items():
        (tmp_path / name).write_text(text)
    a, b, c, d = (tmp_path / name for name in "abcd")
    assert fingerprint_files([a, b]) == fingerprint_files([c, b])
    others = [[a, d], [a], [a, a, b], []]
    told = {fingerprint_files(paths) for paths in ([a, b], *others)}
    assert len(told) == 5


def test_a_set_is_known_by_its_pairs(draw_set):
    examples = load_dataset_spec(draw_set()).examples
    told = fingerprint_examples(examples)
    assert fingerprint_examples(examples[::-1]) == told
    moved = [replace(e, split="test", name="x") for e in examples]
    assert fingerprint_examples(moved) == told
    assert fingerprint_examples(examples[:2]) != told


def test_a_swap_of_two_annotations_is_noticed(tmp_path, draw_set, draw, mask):
    path = draw_set()
    draw(tmp_path / "masks" / "a.png", mask * 0)
    before = fingerprint_examples(load_dataset_spec(path).examples)
    draw(tmp_path / "masks" / "a.png", mask)
    draw(tmp_path / "masks" / "b.png", mask * 0)
    assert fingerprint_examples(load_dataset_spec(path).examples) != before


def test_pairs_are_combined_without_reading():
    pairs = [("b", "c"), ("a", "d")]
    assert combine_pairs(pairs) == "sha256:" + sha256("a d\nb c")


def test_a_missing_file_is_our_error(tmp_path, draw_set):
    path = draw_set()
    (tmp_path / "masks" / "b.png").unlink()
    with pytest.raises(DatasetError, match=r"b\.png"):
        fingerprint_examples(load_dataset_spec(path).examples)
