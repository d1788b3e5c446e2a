"""From a data spec to a forest in a file."""

import pytest

from defectkeras.classical.forest_file import read_forest
from defectkeras.core.errors import DatasetError, DefectKerasError, TrainingError
from defectkeras.workflows.forest import fit_forest, plan_forest


def test_the_file_tells_what_it_has_learned_from(synthetic_spec, tmp_path):
    plan = plan_forest(synthetic_spec, tmp_path / "a.skops")
    steps = []
    facts = fit_forest(plan, on_progress=lambda *step: steps.append(step))
    assert steps == [(1, 3), (2, 3), (3, 3)]
    forest, stored = read_forest(plan.out)
    assert stored == facts
    assert forest.num_classes == facts.scheme.num_classes == 4
    assert facts.pixel_size_range_nm == (1.0, 1.0)
    assert facts.dataset_fingerprint.startswith("sha256:")
    assert "CC0-1.0" in facts.attribution


def test_what_cannot_be_written_is_told_before_anything_is_read(discs_spec, tmp_path):
    with pytest.raises(TrainingError, match=r"must end in \.skops"):
        plan_forest(discs_spec, tmp_path / "a.pkl")
    (tmp_path / "a.skops").write_text("something")
    with pytest.raises(DefectKerasError, match="--overwrite"):
        plan_forest(discs_spec, tmp_path / "a.skops")
    assert plan_forest(discs_spec, tmp_path / "a.skops", overwrite=True).out.exists()
    (tmp_path / "file").write_text("")
    plan = plan_forest(discs_spec, tmp_path / "file" / "a.skops")
    with pytest.raises(TrainingError, match="cannot be written"):
        fit_forest(plan)


def test_a_split_to_learn_from_is_needed(discs_spec, tmp_path):
    text = discs_spec.read_text().replace('train = ["a"]', "train = []")
    discs_spec.write_text(text.replace('val = ["b"]', 'val = ["a", "b"]'))
    with pytest.raises(DatasetError, match='"train" must have a micrograph'):
        plan_forest(discs_spec, tmp_path / "a.skops")
