"""Methods without a network against annotations."""

import numpy as np
import pytest
from PIL import Image

from defectkeras.core.errors import DatasetError
from defectkeras.workflows.classical import evaluate_method

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


@pytest.mark.parametrize("method", ["otsu", "watershed", "random_forest"])
def test_scores_of_discs(method, discs_spec):
    told = evaluate_method(method, discs_spec, split="val").to_dict()
    assert told["model"].startswith(method)
    assert told["sha256"] is None
    assert told["micrographs"] == ["b"]
    assert told["pixels_pooled"]["classes"]["disc"]["iou"] > 0.95


def test_wrong_polarity_finds_nothing(discs_spec):
    told = evaluate_method("otsu", discs_spec, split="val", polarity="bright").to_dict()
    assert told["pixels_pooled"]["classes"]["disc"]["iou"] < 0.01


def test_unknown_method_names_the_nearest(discs_spec):
    with pytest.raises(DatasetError, match="Did you mean 'ridges'"):
        evaluate_method("ridge", discs_spec, split="val")


def test_only_the_forest_tells_defects_apart(synthetic_spec):
    with pytest.raises(DatasetError, match=r"two classes.*Received: 4.*random_forest"):
        evaluate_method("otsu", synthetic_spec, split="val")
    told = evaluate_method("random_forest", synthetic_spec, split="val").to_dict()
    assert len(told["pixels_pooled"]["classes"]) == 4
