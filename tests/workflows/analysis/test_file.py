"""One micrograph into its folder, as often as one likes."""

import dataclasses

import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.workflows.analysis.file import analyze_file
from defectkeras.workflows.analysis.plan import BatchSettings, plan_analysis
from defectkeras.workflows.analyze_settings import AnalyzeSettings


@pytest.fixture
def task(synthetic_spec, tiny_registry, tmp_path):
    files = [e.micrograph_path for e in load_dataset_spec(synthetic_spec).examples]
    plan = plan_analysis(
        files[:1],
        "tiny",
        tmp_path,
        settings=AnalyzeSettings(),
        registry_root=tiny_registry,
        batch=BatchSettings(),
    )
    return plan.tasks[0]


def test_twice_is_as_good_as_once(task):
    assert analyze_file(task).state == "analyzed"
    before = {p: p.stat().st_mtime_ns for p in task.folder.rglob("*")}
    assert analyze_file(task).state == "kept"
    assert {p: p.stat().st_mtime_ns for p in task.folder.rglob("*")} == before
    other = dataclasses.replace(task.run, settings={"frame": 3})
    failed = analyze_file(dataclasses.replace(task, run=other))
    assert failed.state == "failed"
    assert "frame was not set and is 3" in failed.reason


def test_a_worker_with_another_model_of_this_name_does_nothing(task):
    model = dataclasses.replace(task.run.model, sha256="0" * 64)
    run = dataclasses.replace(task.run, model=model)
    with pytest.raises(RegistryError, match="same model everywhere"):
        analyze_file(dataclasses.replace(task, run=run))
    assert not task.folder.exists()
