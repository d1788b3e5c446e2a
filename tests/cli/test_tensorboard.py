"""The command without its server; tests/training has it in a browser."""

import shlex
import sys
from types import SimpleNamespace


def test_dry_run_prints_the_command(run, tmp_path):
    folder = tmp_path / "my run"
    folder.mkdir()
    (folder / "events.out.tfevents.1.host").touch()
    result = run("tensorboard", folder, "--port", 7001, "--dry-run")
    assert result.exit_code == 0, result.output
    command = shlex.split(result.stdout)
    assert {f"--logdir={folder}", "--host=127.0.0.1", "--port=7001"} <= set(command)


def test_tensorboard_runs_in_this_process(run, tmp_path, monkeypatch):
    (tmp_path / "events.out.tfevents.1.host").touch()
    started = []
    monkeypatch.setattr(sys, "argv", ["defectkeras"])
    program = SimpleNamespace(run_main=lambda: started.append(sys.argv))
    monkeypatch.setitem(sys.modules, "tensorboard.main", program)
    result = run("tensorboard", tmp_path)
    assert result.exit_code == 0, result.output
    ((name, *words),) = started
    assert name == "tensorboard.main"
    assert f"--logdir={tmp_path}" in words
    assert "Starting: " in result.stderr


def test_folder_without_a_log_is_an_error_of_one_line(run, tmp_path):
    result = run("tensorboard", tmp_path)
    assert result.exit_code == 1
    assert "must hold the log of a run" in result.stderr
    assert run("tensorboard").exit_code == 2
