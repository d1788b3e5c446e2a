"""Evaluating from the command line."""

import json


def test_scores_for_people_programs_and_files(
    run, synthetic_spec, tiny_registry, tmp_path
):
    words = ("evaluate", synthetic_spec, "--model", "tiny", "--split", "val")
    shown = run(*words, "--registry", tiny_registry)
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("tiny@1 on synthetic-dci-stem val, 1 micrograph")
    for text in ("area_fraction_percent", "boundary F1", "Size distributions"):
        assert text in shown.stdout
    done = run(*words, "--registry", tiny_registry, "--json", "--out", tmp_path)
    told = json.loads(done.stdout)
    assert told == json.loads((tmp_path / "evaluation.json").read_text())
    for name in ("quantities.csv", "scores.csv", "reliability.svg"):
        assert (tmp_path / name).exists()
        assert name in done.stderr


def test_a_method_stands_in_for_a_model(run, synthetic_spec):
    words = ("evaluate", synthetic_spec, "--split", "val")
    done = run(*words, "--method", "random_forest", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["model"] == "random_forest"
    for neither_or_both in ((), ("--model", "tiny", "--method", "otsu")):
        refused = run(*words, *neither_or_both)
        assert refused.exit_code == 2
        assert "--method" in refused.stderr


def test_dry_run_checks_all_and_writes_nothing(
    run, synthetic_spec, tiny_registry, tmp_path
):
    words = ("evaluate", synthetic_spec, "--registry", tiny_registry, "--dry-run")
    val = (*words, "--split", "val")
    dry = run(*val, "--model", "tiny", "--out", tmp_path / "x", "--json")
    told = json.loads(dry.stdout)
    assert told["model"] == "tiny@1"
    assert len(told["micrographs"]) == 1
    assert told["out"] == str(tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert run(*val, "--model", "tiny").exit_code == 0
    assert "Did you mean 'tiny'?" in run(*val, "--model", "tinny").stderr
    assert "Choose --split train or val" in run(*words, "--model", "tiny").stderr
