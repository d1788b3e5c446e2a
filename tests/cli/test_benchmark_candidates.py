"""A benchmark as a user asks for it."""

import json

import pytest

TINY = ("--set", "patch_size=32", "--set", "batch_size=1", "--set", "precision=float32")
NETWORK = "patch_classifier(patch_size=9, filters=2)"


@pytest.mark.slow
def test_networks_and_methods_are_compared_and_kept(run, synthetic_spec, tmp_path):
    words = ("benchmark", synthetic_spec, "--architectures", NETWORK)
    words += ("--methods", "all", "--folds", 2, "--steps", 1, *TINY)
    words += ("--out", tmp_path / "out")
    first = run(*words, "--json")
    assert first.exit_code == 0, first.output
    table = json.loads(first.stdout)
    assert [row["candidate"] for row in table] == [NETWORK, "random_forest"]
    assert all(0 <= row["iou"] <= 1 and row["iou_spread"] >= 0 for row in table)
    network, forest = table
    assert network["parameters"] > 0
    assert network["gflops_per_megapixel"] > 0
    by_windows, at_once = "window_seconds_per_megapixel", "seconds_per_megapixel"
    assert network[by_windows] > network[at_once] > 0
    assert forest["parameters"] is forest[by_windows] is None
    folds = sorted((tmp_path / "out" / "folds").iterdir())
    assert len(folds) == 4
    times = [path.stat().st_mtime_ns for path in folds]
    again = run(*words)
    assert [path.stat().st_mtime_ns for path in folds] == times
    assert "IoU" in again.stdout
    assert f"{network['iou']:.3f} ± {network['iou_spread']:.3f}" in again.stdout
    assert sorted(p.name for p in (tmp_path / "out").glob("*.*")) == [
        "benchmark.csv",
        "cost.svg",
        "folds.csv",
        "protocol.json",
        "scores.svg",
    ]
    other = run(*words, "--set", "seed=3")
    assert other.exit_code == 1
    assert "Other are: seed." in other.stderr


def test_a_dry_run_names_what_would_be_compared(run, synthetic_spec, tmp_path):
    words = ("benchmark", synthetic_spec, "--losses", "ce, focal(gamma=3)")
    told = run(*words, "--dry-run", "--json", "--out", tmp_path / "out")
    named = [row["candidate"] for row in json.loads(told.stdout)["candidates"]]
    assert named == ["defectsegnet, ce", "defectsegnet, focal(gamma=3)"]
    assert not (tmp_path / "out").exists()
    assert "loss          defectsegnet, ce" in run(*words, "--dry-run").stdout


def test_slips_are_told(run, synthetic_spec):
    words = ("benchmark", synthetic_spec, "--dry-run")
    result = run(*words, "--methods", "otsuu")
    assert result.exit_code == 1
    assert "Did you mean 'otsu'?" in result.stderr
    assert "Did you mean 'input'?" in run("benchmark", "inptu").stderr
    assert "'missing.toml' does not exist" in run("benchmark", "missing.toml").stderr


def test_words_that_are_no_spec_stay_what_they_were(run):
    assert "runtimes" in run("benchmark", "--help").stdout
    assert "--architectures" in run("benchmark", "candidates", "--help").stdout
