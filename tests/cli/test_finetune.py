"""Training further from the command line."""

import json


def test_dry_run_tells_and_writes_nothing(run, tiny_registry, synthetic_spec, tmp_path):
    words = ("finetune", "tiny", synthetic_spec, "--registry", tiny_registry)
    done = run(*words, "--name", "child", "--epochs", 3, "--dry-run")
    assert done.exit_code == 0, done.output
    plan = json.loads(done.stdout)
    assert plan["model"] == "tiny@1"
    assert plan["publishes"] == f"{tiny_registry}/child"
    assert plan["keeps_the_head"]
    assert len(plan["fields"]) == 3
    assert plan["config"]["epochs"] == 3
    assert not (tiny_registry / "child").exists()


def test_slips_are_told(run, tiny_registry, synthetic_spec):
    words = ("finetune", "tiny", synthetic_spec, "--registry", tiny_registry)
    done = run(*words, "--set", "epoch=3", "--dry-run")
    assert done.exit_code == 1
    assert "Did you mean 'epochs'?" in done.stderr
