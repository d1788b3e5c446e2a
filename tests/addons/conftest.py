"""What tensorflow-addons computed, see `make test-addons`."""

import os
from pathlib import Path

import pytest

collect_ignore = ["oracle.py"]  # it runs in the other environment


@pytest.fixture(scope="session")
def oracle():
    """The folder that oracle.py wrote, named by DEFECTKERAS_ADDONS."""
    folder = os.environ.get("DEFECTKERAS_ADDONS")
    if folder is None:
        pytest.skip("tensorflow-addons was not asked; run: make test-addons")
    return Path(folder)
