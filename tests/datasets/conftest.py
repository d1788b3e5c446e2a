"""Small sets drawn into a folder, and their specs, written without our writers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

SPEC = """\
schema = 1
name = "drawn"
description = "Squares and a line."
license = "CC0-1.0"
source = "https://example.org/drawn"
root = "."

[[classes]]
index = 0
name = "matrix"
kind = "matrix"

[[classes]]
index = 1
name = "void"
kind = "region"

[[classes]]
index = 2
name = "line"
kind = "line"

[[sources]]
name = "tem"
micrographs = "images/*.png"
annotations = "masks/{stem}.png"

[split]
train = ["a", "b"]
val = ["c"]
"""
SHAPE = (24, 36)


def _draw(path: Path, values: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values)).save(path)
    return path


def _mask() -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[2:6, 3:7] = 1
    mask[10:18, 10:18] = 1
    mask[20, :] = 2
    return mask


def _image(seed: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, shape).astype(np.uint8)


def _write_spec(folder: Path, changes: Mapping[str, str] | None = None) -> Path:
    text = SPEC
    for old, new in (changes or {}).items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "spec.toml"
    path.write_text(text)
    return path


@pytest.fixture
def draw() -> Callable[[Path, Any], Path]:
    """Give a function that writes an array as PNG."""
    return _draw


@pytest.fixture
def mask() -> np.ndarray:
    """Give (24, 36) with two squares of 4 and 8 px of class 1, a line of class 2."""
    return _mask()


@pytest.fixture
def image() -> Callable[..., np.ndarray]:
    """Give a function that draws noise, (24, 36) when nothing is said."""
    return _image


@pytest.fixture
def write_spec() -> Callable[..., Path]:
    """Give a function that writes the spec with some of its text replaced."""
    return _write_spec


@pytest.fixture
def draw_set(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that draws the examples a, b, c and writes a changed spec."""

    def draw_it(changes: Mapping[str, str] | None = None) -> Path:
        for seed, name in enumerate("abc"):
            _draw(tmp_path / "images" / f"{name}.png", _image(seed))
            _draw(tmp_path / "masks" / f"{name}.png", _mask())
        return _write_spec(tmp_path, changes)

    return draw_it
