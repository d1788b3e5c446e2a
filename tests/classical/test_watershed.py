"""Borders where the grey level is steepest."""

import numpy as np
import pytest

from defectkeras.classical.watershed import watershed


@pytest.mark.parametrize("polarity", ["bright", "dark"])
def test_finds_discs(polarity, discs, draw, iou_of):
    image = draw(discs, polarity=polarity)
    assert iou_of(watershed(image, polarity=polarity), image, discs) > 0.9


def test_a_flat_image_is_matrix():
    image = np.full((60, 70), 0.4, dtype=np.float32)
    found = watershed(image, polarity="bright")(image[None, :, :, None])
    assert not found[..., 1].any()
