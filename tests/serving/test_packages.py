import importlib.util

import pytest

from defectkeras.core.errors import ServingError
from defectkeras.serving.packages import require_packages


def test_they_are_here():
    require_packages()


def test_what_is_missing_is_named(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n: None if n == "uvicorn" else find(n)
    )
    with pytest.raises(ServingError, match=r"uvicorn.*defectkeras\[serving\]"):
        require_packages()
