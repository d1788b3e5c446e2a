import sys

import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.workflows.tensorboard import tensorboard_command


@pytest.fixture
def make_run(tmp_path):
    def make(*parts):
        run = tmp_path.joinpath(*parts)
        (run / "logs").mkdir(parents=True)
        (run / "logs" / "events.out.tfevents.1.host").touch()
        return run

    return make


def test_command_of_one_run(make_run):
    run = make_run("voids-1")
    command = tensorboard_command([run], port=7000)
    assert command[:3] == [sys.executable, "-m", "tensorboard.main"]
    assert {f"--logdir={run}", "--host=127.0.0.1", "--port=7000"} <= set(command)
    (samples,) = (word for word in command if word.startswith("--samples_per_plugin="))
    assert "images=20" in samples
    assert not any("--port" in word for word in tensorboard_command([run]))


def test_several_runs_have_names(make_run):
    first, second = make_run("voids-1"), make_run("voids-2")
    command = tensorboard_command([first, second])
    assert f"--logdir_spec=voids-1:{first},voids-2:{second}" in command
    assert f"--logdir={first.parent}" in tensorboard_command([first.parent])


def test_what_cannot_be_shown_is_refused(make_run, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match=r"empty: must hold the log of a run"):
        tensorboard_command([tmp_path / "empty"])
    for names in ([("a", "x"), ("b", "x")], [("c", "k:1"), ("c", "l")]):
        runs = [make_run(*parts) for parts in names]
        with pytest.raises(TrainingError, match="different names"):
            tensorboard_command(runs)
