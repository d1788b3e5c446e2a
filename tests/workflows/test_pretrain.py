"""Files are found and looked at before any work is done."""

import pytest

from defectkeras.core.errors import DefectKerasError, MicrographError, TrainingError
from defectkeras.workflows.pretrain import plan_pretraining


def test_micrographs_of_folders_are_found(synthetic_spec, tmp_path):
    folder = synthetic_spec.parent / "micrographs"
    files = plan_pretraining([folder], tmp_path / "a.keras")
    assert files == sorted(folder.iterdir())


def test_what_cannot_be_is_told(synthetic_spec, tmp_path):
    (tmp_path / "a.keras").write_bytes(b"old")
    folder = synthetic_spec.parent / "micrographs"
    with pytest.raises(DefectKerasError, match="say --overwrite"):
        plan_pretraining([folder], tmp_path / "a.keras")
    with pytest.raises(TrainingError, match=r"must end in \.keras"):
        plan_pretraining([folder], tmp_path / "a.h5")
    with pytest.raises(MicrographError):
        plan_pretraining([tmp_path / "none"], tmp_path / "b.keras")
