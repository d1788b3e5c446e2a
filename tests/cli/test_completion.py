"""The completion script and what it completes."""

import os
import shutil

import click
import pytest
from click.testing import CliRunner

from defectkeras.cli.main import main
from defectkeras.cli.options import complete_models


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_script_names_the_command(run, shell):
    if shell == "bash" and os.system("bash --version >/dev/null 2>&1"):
        pytest.skip("bash is not here")
    result = run("completion", shell)
    assert result.exit_code == 0, result.output
    assert "_DEFECTKERAS_COMPLETE" in result.stdout


def test_shell_is_told_the_commands():
    environment = {
        "_DEFECTKERAS_COMPLETE": "bash_complete",
        "COMP_WORDS": "defectkeras ev",
        "COMP_CWORD": "1",
    }
    done = CliRunner().invoke(main, env=environment, prog_name="defectkeras")
    assert done.stdout.split() == ["plain,evaluate"]


def test_models_versions_and_aliases_are_completed(run, tiny_registry, tmp_path):
    registry = shutil.copytree(tiny_registry, tmp_path / "registry")
    done = run("registry", "alias", "tiny@1", "best", "--registry", registry)
    assert done.exit_code == 0, done.output
    command = click.Command("analyze")
    context = click.Context(command)
    context.params["registry_root"] = registry
    items = complete_models(context, click.Option(["--model"]), "ti")
    assert [item.value for item in items] == ["tiny", "tiny@1", "tiny@best"]
    assert complete_models(context, click.Option(["--model"]), "x") == []
