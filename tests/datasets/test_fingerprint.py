import hashlib
from dataclasses import replace

import pytest

from defectkeras.core.errors import DatasetError
from defectkeras.datasets.fingerprint import (
    combine_pairs,
    fingerprint_examples,
)
from defectkeras.datasets.spec import load_dataset_spec


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


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
