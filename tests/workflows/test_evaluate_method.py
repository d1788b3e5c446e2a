"""Methods without a network against annotations."""

import pytest

from defectkeras.core.errors import DatasetError, ModelError
from defectkeras.workflows.evaluate_method import evaluate_method
from defectkeras.workflows.forest import fit_forest, plan_forest
from defectkeras.workflows.method import MethodChoice


def scores_of(name, spec, polarity="dark"):
    choice = MethodChoice(name, polarity)
    return evaluate_method(choice, spec, split="val").to_dict()


@pytest.mark.parametrize("method", ["otsu", "watershed", "random_forest"])
def test_scores_of_discs(method, discs_spec):
    told = scores_of(method, discs_spec)
    assert told["model"].startswith(method)
    assert told["sha256"] is None
    assert told["micrographs"] == ["b"]
    assert told["pixels_pooled"]["classes"]["disc"]["iou"] > 0.95


def test_a_forest_from_its_file_scores_as_one_that_was_just_fitted(
    discs_spec, synthetic_spec, tmp_path
):
    file = tmp_path / "discs.skops"
    fit_forest(plan_forest(discs_spec, file))
    stored, fitted = (scores_of(x, discs_spec) for x in (str(file), "random_forest"))
    assert stored["pixels_pooled"] == fitted["pixels_pooled"]
    assert stored["model"] == "discs.skops"
    assert len(stored["sha256"]) == 64
    with pytest.raises(DatasetError, match=r"classes of .*discs\.skops.*'disc'.*void"):
        scores_of(str(file), synthetic_spec)


def test_wrong_polarity_finds_nothing(discs_spec):
    told = scores_of("otsu", discs_spec, polarity="bright")
    assert told["pixels_pooled"]["classes"]["disc"]["iou"] < 0.01


def test_unknown_method_names_the_nearest(discs_spec):
    with pytest.raises(ModelError, match="Did you mean 'ridges'"):
        scores_of("ridge", discs_spec)


def test_only_the_forest_tells_defects_apart(synthetic_spec):
    with pytest.raises(DatasetError, match=r"two classes.*Received: 4.*random_forest"):
        scores_of("otsu", synthetic_spec)
    told = scores_of("random_forest", synthetic_spec)
    assert len(told["pixels_pooled"]["classes"]) == 4
