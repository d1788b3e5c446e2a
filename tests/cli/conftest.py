"""Run a command as a user would, in this process."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from defectkeras.cli.main import main


@pytest.fixture
def run() -> Callable[..., Result]:
    """Give a function that runs `defectkeras` with these words."""

    def call(*words: object) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words])

    return call
