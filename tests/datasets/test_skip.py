"""What cannot be read is left out, and told."""

import pytest

from defectkeras.core.errors import DefectKerasError, MicrographError
from defectkeras.datasets.skip import all_bad_files_told, without_bad_examples
from defectkeras.datasets.spec import load_dataset_spec


def test_bad_examples_are_left_out_and_named(tmp_path, draw_set):
    spec = load_dataset_spec(draw_set())
    assert without_bad_examples(spec) == (spec, ())
    bad = tmp_path / "images" / "b.png"
    bad.write_bytes(bad.read_bytes()[:60])
    left, problems = without_bad_examples(spec)
    assert [e.name for e in left.examples] == ["a", "c"]
    assert {p.path for p in problems} == {bad}


def test_all_bad_files_are_told_when_one_stops(tmp_path, draw_set):
    path = draw_set()
    with all_bad_files_told(path):
        pass
    told = "a.png: the first"
    for name, expected in (("a", told), ("b", r"2 that are not: a\.png, b\.png\. ")):
        bad = tmp_path / "images" / f"{name}.png"
        bad.write_bytes(bad.read_bytes()[:60])
        with pytest.raises(DefectKerasError, match=expected), all_bad_files_told(path):
            raise MicrographError(told)
