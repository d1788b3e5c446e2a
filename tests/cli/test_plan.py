"""From a data spec to a plan, to the settings of a training, to a run."""

import json
import tomllib

import pytest

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(scope="module")
def plan_text(run, synthetic_spec, tmp_path_factory):
    out = tmp_path_factory.mktemp("plan") / "plan.toml"
    done = run("plan", synthetic_spec, "--out", out, "--memory-gib", 8)
    assert done.exit_code == 0, done.output
    assert f"Wrote {out}" in done.stderr
    return out.read_text()


@pytest.fixture
def plan(plan_text, tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(plan_text)
    return path


def test_plan_is_printed_as_toml_or_json(run, synthetic_spec, plan):
    printed = run("plan", synthetic_spec, "--memory-gib", 8)
    assert printed.stdout == plan.read_text()
    told = json.loads(run("plan", synthetic_spec, "--memory-gib", 8, "--json").stdout)
    table = tomllib.loads(plan.read_text())
    assert {row["key"]: row["value"] for row in told}["loss"] == table["loss"]
    assert all(row["reason"] for row in told)


def test_older_plan_is_kept(run, synthetic_spec, plan):
    plan.write_text("epochs = 3\n")
    refused = run("plan", synthetic_spec, "--out", plan)
    assert refused.exit_code == 1
    assert "--overwrite" in refused.stderr
    words = ("--overwrite", "--memory-gib", 8)
    dry = run("plan", synthetic_spec, "--out", plan, "--dry-run", *words)
    assert f"Would write {plan}" in dry.stderr
    assert plan.read_text() == "epochs = 3\n"
    assert run("plan", synthetic_spec, "--out", plan, *words).exit_code == 0
    assert "patch_size" in plan.read_text()


def test_config_tells_where_each_value_comes_from(run, synthetic_spec, plan, tmp_path):
    file = tmp_path / "file.toml"
    file.write_text("seed = 4\n")
    words = ("--plan", plan, "--config", file, "--set", "augmentation.noise=0.5")
    shown = run("config", "show", synthetic_spec, *words, "--json")
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.stdout)
    assert told["augmentation.noise"] == {"value": 0.5, "origin": "flag"}
    assert told["seed"] == {"value": 4, "origin": "file"}
    assert told["patch_size"]["origin"] == "plan"
    assert told["optimizer"] == {"value": "adamw", "origin": "default"}
    lines = run("config", "show", synthetic_spec, *words).stdout.splitlines()
    assert "seed 4 file" in [" ".join(line.split()) for line in lines]


def test_run_follows_a_plan_and_keeps_the_origins(
    run, small_network, synthetic_spec, plan, tmp_path
):
    folder = tmp_path / "run"
    words = ("--run-folder", folder, "--registry", tmp_path / "r", "--name", "x")
    small = ("steps_per_epoch=1", "batch_size=1", "patch_size=32", "precision=float32")
    words += tuple(word for setting in small for word in ("--set", setting))
    words += small_network
    done = run("train", synthetic_spec, "--plan", plan, "--epochs", 1, *words)
    assert done.exit_code == 0, done.output
    config = json.loads((folder / "config.json").read_text())
    table = tomllib.loads(plan.read_text())
    assert config["loss"] == table["loss"]
    assert (config["epochs"], config["patch_size"]) == (1, 32)
    request = json.loads((folder / "request.json").read_text())
    assert request["origins"]["epochs"] == "flag"
    assert request["origins"]["loss"] == "plan"
    assert request["origins"]["architecture"] == "flag"
    split = json.loads((folder / "split.json").read_text())
    assert [len(split[name]) for name in ("train", "val", "test")] == [3, 1, 0]


def test_slips_in_settings_are_told(run, synthetic_spec, plan):
    for command in (("train",), ("config", "show")):
        result = run(*command, synthetic_spec, "--plan", plan, "--set", "epoch=3")
        assert result.exit_code == 1
        assert "unknown key 'epoch'. Did you mean 'epochs'?" in result.stderr
        plan.write_text("patchsize = 3\n")
        result = run(*command, synthetic_spec, "--plan", plan)
        assert f"{plan}: unknown key 'patchsize'" in result.stderr
        plan.write_text("patch_size = 32\n")
