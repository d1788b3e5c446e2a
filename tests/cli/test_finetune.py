"""Training further from the command line."""

import json
import shutil

from defectkeras.datasets.spec import load_dataset_spec


def test_dry_run_tells_and_writes_nothing(run, tiny_registry, synthetic_spec, tmp_path):
    words = ("finetune", "tiny", synthetic_spec, "--registry", tiny_registry)
    done = run(*words, "--name", "child", "--epochs", 3, "--dry-run")
    assert done.exit_code == 0, done.output
    plan = json.loads(done.stdout)
    assert plan["model"] == "tiny@1"
    assert plan["publishes"] == f"{tiny_registry}/child"
    assert plan["same_classes"]
    assert len(plan["fields"]) == 3
    assert plan["config"]["epochs"] == 3
    assert not (tiny_registry / "child").exists()


def test_dry_run_reads_what_training_would(
    run, tiny_registry, synthetic_spec, tmp_path
):
    data = shutil.copytree(synthetic_spec.parent, tmp_path / "set")
    spec = load_dataset_spec(data / synthetic_spec.name)
    bad = [spec.of_split(split)[0].annotation_path for split in ("train", "val")]
    for path in bad:
        path.write_bytes(b"")
    refused = run(
        "finetune", "tiny", spec.path, "--registry", tiny_registry, "--dry-run"
    )
    assert refused.exit_code == 1
    assert all(f"error: {path}: " in refused.stderr for path in bad)
    assert "must have no error. Received: 2" in refused.stderr
    assert refused.stdout == ""


def test_slips_are_told(run, tiny_registry, synthetic_spec):
    words = ("finetune", "tiny", synthetic_spec, "--registry", tiny_registry)
    done = run(*words, "--set", "epoch=3", "--dry-run")
    assert done.exit_code == 1
    assert "Did you mean 'epochs'?" in done.stderr
