"""What an analysis reads and writes, and how its work is shared out."""

import pytest

from defectkeras.core.errors import DefectKerasError
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.workflows.analysis.plan import BatchSettings, plan_analysis
from defectkeras.workflows.analyze_settings import AnalyzeSettings


@pytest.fixture
def plan(synthetic_spec, tiny_registry, tmp_path):
    folder = load_dataset_spec(synthetic_spec).root / "micrographs"

    def call(*, settings=None, **batch):
        return plan_analysis(
            [folder],
            "tiny",
            tmp_path,
            settings=settings or AnalyzeSettings(),
            registry_root=tiny_registry,
            batch=BatchSettings(**batch),
        )

    return call


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_shards_are_the_whole_and_share_nothing(plan, number):
    parts = [plan(shard=(i + 1, number)).tasks for i in range(number)]
    folders = [task.folder for part in parts for task in part]
    assert len(set(folders)) == len(folders)
    assert set(folders) == {task.folder for task in plan().tasks}
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("shard", [(0, 2), (3, 2), (1, 0)])
def test_a_shard_that_cannot_be_is_refused(shard):
    with pytest.raises(DefectKerasError, match="--shard"):
        BatchSettings(shard=shard)
    with pytest.raises(DefectKerasError, match="--workers"):
        BatchSettings(workers=0)


def test_a_folder_of_the_user_is_never_taken_for_results(plan):
    folder = plan().tasks[-1].folder
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text("[]")
    with pytest.raises(DefectKerasError, match="--overwrite"):
        plan()
    assert len(plan(overwrite=True).tasks) == 4


def test_classes_that_the_model_does_not_know_are_told(plan):
    settings = AnalyzeSettings(quantify=QuantifySettings(swelling_classes=("bubble",)))
    with pytest.raises(DefectKerasError, match="Unknown region class 'bubble'"):
        plan(settings=settings)
