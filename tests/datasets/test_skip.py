"""What cannot be read is left out, and told."""

from defectkeras.datasets.skip import without_bad_examples
from defectkeras.datasets.spec import load_dataset_spec


def test_bad_examples_are_left_out_and_named(tmp_path, draw_set):
    spec = load_dataset_spec(draw_set())
    assert without_bad_examples(spec) == (spec, ())
    bad = tmp_path / "images" / "b.png"
    bad.write_bytes(bad.read_bytes()[:60])
    left, problems = without_bad_examples(spec)
    assert [e.name for e in left.examples] == ["a", "c"]
    assert {p.path for p in problems} == {bad}
