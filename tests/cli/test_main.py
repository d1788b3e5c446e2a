"""Help is quick and complete, slips are guessed, errors are one line."""

import os
import subprocess
import sys

import click
import pytest

from defectkeras.cli.main import LazyGroup, main
from defectkeras.core.errors import StoppedError
from defectkeras.training.interruption import Terminated

LIMIT_S = 0.5


def test_help_is_quick_and_without_tensorflow():
    code = (
        "import sys; from defectkeras.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: sys.exit(bool({'tensorflow', 'numpy'} & set(sys.modules)))"
    )
    before = os.times()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    after = os.times()
    # processor time, since another process may hold the processor meanwhile
    took_s = sum(after[2:4]) - sum(before[2:4])
    assert took_s < LIMIT_S


def test_every_command_has_help(run):
    for name in LazyGroup.homes:
        result = run(name, "--help")
        assert result.exit_code == 0, result.output
        assert result.output.startswith(f"Usage: main {name}")
        assert "\\b" not in result.output


def groups(command, path=()):
    if isinstance(command, click.Group):
        yield path
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            yield from groups(command.get_command(ctx, name), (*path, name))


@pytest.mark.parametrize("path", list(groups(main)), ids=" ".join)
def test_no_list_of_commands_is_cut_off(run, path):
    assert "..." not in run(*path, "--help").output.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["anlyze"], "No such command 'anlyze'. Did you mean 'analyze'?"),
        (["data", "validat"], "No such command 'validat'. Did you mean 'validate'?"),
        (["registry", "lst"], "No such command 'lst'. Did you mean 'list'?"),
    ],
)
def test_mistyped_command_gets_the_nearest(run, words, told):
    result = run(*words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_users_error_is_one_line_without_traceback(run, tmp_path):
    result = run("registry", "show", "nothing", "--registry", tmp_path)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: No model 'nothing' in the registry")
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError(13, "Permission denied", "out/x"), "out/x cannot be read or"),
        (OSError(28, "No space\nleft on device"), "written: No space left on device."),
        (OSError(28, "No space left on device", "out/x"), "Error: out/x cannot be w"),
        (OSError(122, "Disk quota exceeded"), "Free some space, then run the same "),
        (OSError("no number"), "A file cannot be read or written: no number."),
    ],
)
def test_what_the_system_refuses_is_one_line(run, monkeypatch, error, told):
    def refused(*_):
        raise error

    monkeypatch.setattr("defectkeras.registry.store.ModelRegistry.names", refused)
    result = run("registry", "list")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_ctrl_c_is_one_line_and_the_status_of_shells(run, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("defectkeras.registry.store.ModelRegistry.names", interrupted)
    result = run("registry", "list")
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


@pytest.mark.parametrize(
    ("signal", "status"), [(None, 130), (KeyboardInterrupt(), 130), (Terminated(), 143)]
)
def test_a_stopped_run_says_how_to_go_on_with_its_status(
    run, monkeypatch, signal, status
):
    def stopped(*_):
        raise StoppedError("Go on with: this.") from signal

    monkeypatch.setattr("defectkeras.registry.store.ModelRegistry.names", stopped)
    result = run("registry", "list")
    assert (result.exit_code, result.stderr) == (status, "Error: Go on with: this.\n")


def test_version_is_told(run):
    assert run("--version").stdout.startswith("main, version ")


def test_module_runs_as_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "defectkeras", "--help"], capture_output=True, text=True
    )
    assert done.stdout.startswith("Usage: defectkeras ")
    assert main.name == "main"
