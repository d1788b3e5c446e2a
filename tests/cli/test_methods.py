"""A model or a method: one of the two, and the options that fit it."""

import json

import pytest

from defectkeras.datasets.spec import load_dataset_spec

pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture
def words(synthetic_spec, tmp_path):
    (example,) = load_dataset_spec(synthetic_spec).of_split("val")
    return ("analyze", example.micrograph_path, "--out", tmp_path / "out")


def test_analyze_takes_a_method(run, words, tmp_path):
    planned = run(*words, "--method", "otsu", "--dry-run", "--json")
    assert json.loads(planned.stdout)["model"] == "otsu, dark defects"
    done = run(*words, "--method", "otsu", "--polarity", "bright")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Method otsu, bright defects" in page
    assert "segmented by the method otsu, bright defects." in page
    other = run(*words, "--method", "otsu")
    assert other.exit_code == 1
    assert "method.polarity was bright and is dark" in other.stderr


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--model", "tiny", "--method", "otsu"),
        ("--method", "otsu", "--rescale"),
        ("--method", "otsu", "--spread", "dropout"),
        ("--method", "otsu", "--runtime", "openvino"),
    ],
)
def test_what_does_not_fit_is_refused(run, words, options):
    refused = run(*words, *options)
    assert refused.exit_code == 2
    assert "--method" in refused.stderr


def test_evaluate_refuses_the_same(run, synthetic_spec):
    words = ("evaluate", synthetic_spec, "--method")
    assert run(*words, "otsu", "--runtime", "litert").exit_code == 2
    dry = run(*words, "otzu", "--split", "val", "--dry-run")
    assert dry.exit_code == 1
    assert "Did you mean 'otsu'?" in dry.stderr
