"""Run a command as a user would, in this process."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from defectkeras.cli.main import main


@pytest.fixture(scope="session")
def run() -> Callable[..., Result]:
    """Give a function that runs `defectkeras` with these words."""

    def call(*words: object) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words])

    return call


@pytest.fixture(scope="session")
def small_network() -> tuple[str, ...]:
    """Give the words for a network that is soon built, trained and published."""
    arguments = ("--set-model", "patch_size=9", "--set-model", "filters=4")
    return ("--architecture", "patch_classifier", *arguments)


@pytest.fixture
def two(tiny_registry, tmp_path) -> Path:
    """Give a registry with two versions of a model."""
    root = shutil.copytree(tiny_registry, tmp_path / "two")
    shutil.copytree(root / "tiny" / "1", root / "tiny" / "2")
    return root


@pytest.fixture
def ask(run) -> Callable[..., Any]:
    """Give a function that gives the JSON of a command of the registry."""

    def call(*words: object) -> Any:
        result = run("registry", *words)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return call
