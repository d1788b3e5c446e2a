"""A forest from the command line: fit, then use on other micrographs."""

import json

import pytest

from defectkeras.datasets.spec import load_dataset_spec

pytestmark = pytest.mark.usefixtures("no_figures")


def test_fit_then_analyze_other_micrographs(run, synthetic_spec, tmp_path):
    file = tmp_path / "forest.skops"
    dry = run("forest", synthetic_spec, "--out", file, "--dry-run", "--json")
    assert json.loads(dry.stdout)["out"] == str(file)
    assert len(json.loads(dry.stdout)["micrographs"]) == 3
    assert not file.exists()
    fitted = run("forest", synthetic_spec, "--out", file, "--json")
    assert fitted.exit_code == 0, fitted.output
    assert json.loads(fitted.stdout)["dataset_name"] == "synthetic-dci-stem"
    (other,) = load_dataset_spec(synthetic_spec).of_split("val")
    words = ("analyze", other.micrograph_path, "--method", file)
    words += ("--out", tmp_path / "results", "--json")
    done = run(*words)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)["micrographs"][0]
    assert any(quantity["value"] for quantity in told["quantities"])
    folder = tmp_path / "results" / other.micrograph_path.stem
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["model"]["reference"] == "forest.skops"
    assert summary["settings"]["method"] == {"name": str(file), "polarity": "dark"}
    assert "segmented by the model forest.skops" in (
        tmp_path / "results" / "report.html"
    ).read_text(encoding="utf-8")
    assert json.loads(run(*words).stdout)["kept"] == 1
    again = run("forest", synthetic_spec, "--out", file)
    assert again.exit_code == 1
    assert "--overwrite" in again.stderr
