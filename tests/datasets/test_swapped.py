"""Micrographs and annotations in each other's place."""

import numpy as np
import pytest
from PIL import Image

from defectkeras.core.errors import DatasetError
from defectkeras.datasets.sources import Pair
from defectkeras.datasets.swapped import (
    look_swapped,
    looks_drawn,
    require_not_swapped,
)


def discs(*, numbered=False, color=False):
    rows, columns = np.indices((90, 130))
    mask = np.zeros((90, 130), np.uint8)
    for number, (row, column) in enumerate([(20, 30), (60, 40), (40, 90)], start=1):
        inside = np.hypot(rows - row, columns - column) < 9
        mask[inside] = 80 * number if numbered else 1
    return np.stack([255 * mask, 0 * mask, mask], axis=2) if color else mask


def micrograph(kind="uint8"):
    noise = np.random.default_rng(3).normal(100, 12, (90, 130))
    return noise.astype(kind)


@pytest.mark.parametrize("choice", [{}, {"numbered": True}, {"color": True}])
@pytest.mark.parametrize(
    ("suffix", "kind"), [("png", "uint8"), ("tif", "float32"), ("jpg", "uint8")]
)
def test_a_mask_and_a_micrograph(tmp_path, choice, suffix, kind):
    mask, grey = tmp_path / "mask.png", tmp_path / f"grey.{suffix}"
    Image.fromarray(discs(**choice)).save(mask)
    Image.fromarray(micrograph(kind)).save(grey)
    assert look_swapped(mask, grey)
    assert not look_swapped(grey, mask)
    assert not look_swapped(grey, grey)
    assert not look_swapped(mask, mask)


def test_shapes_and_broken_files_are_no_micrographs(tmp_path):
    mask, shapes = tmp_path / "mask.png", tmp_path / "shapes.json"
    Image.fromarray(discs()).save(mask)
    shapes.write_text("{}")
    assert not look_swapped(mask, shapes)


def test_all_of_the_first_pairs_must_look_so(tmp_path):
    mask, grey = tmp_path / "mask.png", tmp_path / "grey.png"
    Image.fromarray(discs()).save(mask)
    Image.fromarray(micrograph()).save(grey)
    swapped, right = Pair("a", mask, grey, None), Pair("b", grey, mask, None)
    require_not_swapped([])
    require_not_swapped([swapped, right])
    with pytest.raises(DatasetError, match=r"look swapped.*renaming their folders"):
        require_not_swapped([swapped, swapped])


def test_a_single_column_has_no_steps():
    assert looks_drawn(np.arange(5)[:, None])
