"""Dark discs on a bright matrix, described by a data spec."""

import numpy as np
import pytest
from PIL import Image

SPEC = """schema = 1
name = "discs"
description = "Dark discs."
license = "CC0-1.0"
source = "drawn"
root = "."
[[classes]]
index = 0
name = "matrix"
kind = "matrix"
[[classes]]
index = 1
name = "disc"
kind = "region"
[[sources]]
name = "drawn"
micrographs = "images/*.png"
annotations = "masks/{stem}.png"
encoding = "class_index"
[split]
by = "file"
train = ["a"]
val = ["b"]
"""


@pytest.fixture
def discs_spec(tmp_path):
    """Draw two micrographs of dark discs, not square."""
    y, x = np.mgrid[:90, :120]
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for name, column in (("a", 40), ("b", 70)):
        mask = (y - 45) ** 2 + (x - column) ** 2 < 15**2
        noise = np.random.default_rng(column).normal(0, 6, mask.shape)
        grey = np.where(mask, 60, 160) + noise
        Image.fromarray(grey.astype(np.uint8)).save(tmp_path / f"images/{name}.png")
        Image.fromarray(mask.astype(np.uint8)).save(tmp_path / f"masks/{name}.png")
    (tmp_path / "discs.toml").write_text(SPEC)
    return tmp_path / "discs.toml"
