"""Run a command as a user would, in this process."""

from collections.abc import Callable

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
