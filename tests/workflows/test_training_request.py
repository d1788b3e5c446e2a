import dataclasses
import json

import pytest

from defectkeras.core.errors import RegistryError, TrainingError
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.workflows.training_request import (
    TrainingRequest,
    choose_name,
    request_to_resume,
    write_request,
)


def test_request_comes_back_with_absolute_paths(tmp_path, monkeypatch, synthetic_spec):
    monkeypatch.chdir(tmp_path)
    request = TrainingRequest(
        (tmp_path / "spec.toml").relative_to(tmp_path),
        arguments={"variant": "paper"},
        name="voids",
    )
    spec = load_dataset_spec(synthetic_spec)
    write_request(request, tmp_path / "run", spec)
    split = json.loads((tmp_path / "run" / "split.json").read_text())
    assert split["val"] == [e.name for e in spec.of_split("val")]
    assert request_to_resume(tmp_path / "run") == dataclasses.replace(
        request,
        spec_path=tmp_path / "spec.toml",
        run_folder=tmp_path / "run",
        resume=True,
    )


def test_model_takes_the_name_of_its_data_where_it_can():
    assert choose_name(None, "steel") == "steel"
    assert choose_name("mine", "My Steel") == "mine"
    with pytest.raises(RegistryError, match=r"--name.* Received: 'My Steel'"):
        choose_name(None, "My Steel")


@pytest.mark.parametrize("state", ["checkpoint.npz", "fold_1/checkpoint.npz"])
def test_request_of_a_run_is_never_overwritten(tmp_path, synthetic_spec, state):
    (tmp_path / state).parent.mkdir(exist_ok=True)
    (tmp_path / state).touch()
    request, spec = TrainingRequest(synthetic_spec), load_dataset_spec(synthetic_spec)
    with pytest.raises(TrainingError, match="holds a run already"):
        write_request(request, tmp_path, spec)
    assert not (tmp_path / "request.json").exists()


def test_folder_without_a_run_is_told(tmp_path, synthetic_spec):
    with pytest.raises(TrainingError, match=r"there is no request\.json in it\.$"):
        request_to_resume(tmp_path)
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "request.json").touch()
    with pytest.raises(TrainingError, match=r"Did you mean .*/one\?$"):
        request_to_resume(tmp_path)
    with pytest.raises(TrainingError, match="holds no run that can go on"):
        request_to_resume(tmp_path / "one")
    (tmp_path / "file").write_text("not a folder")
    spec = load_dataset_spec(synthetic_spec)
    with pytest.raises(TrainingError, match="could not be written"):
        write_request(TrainingRequest(tmp_path), tmp_path / "file", spec)


def test_run_folder_without_a_wish_names_model_and_time(tmp_path):
    request = TrainingRequest(tmp_path / "spec.toml")
    assert request.chosen_run_folder("voids").as_posix().startswith("runs/voids-2")
    wish = dataclasses.replace(request, run_folder=tmp_path)
    assert wish.chosen_run_folder("voids") == tmp_path
