"""One threshold and local ones, on drawn discs."""

import pytest

from defectkeras.classical.thresholds import local_threshold, otsu


@pytest.mark.parametrize("polarity", ["bright", "dark"])
def test_otsu_finds_discs(polarity, discs, draw, iou_of):
    image = draw(discs, polarity=polarity)
    assert iou_of(otsu(image, polarity=polarity), image, discs) > 0.97


def test_local_threshold_bears_a_shade_that_otsu_does_not(discs, draw, iou_of):
    image = draw(discs, shade=0.8)
    assert iou_of(otsu(image, polarity="bright"), image, discs) < 0.3
    local = local_threshold(image, polarity="bright")
    assert iou_of(local, image, discs) > 0.7


def test_even_window_is_told(discs, draw):
    image = draw(discs)
    predict_fn = local_threshold(image, polarity="bright", window_px=50)
    with pytest.raises(ValueError, match="odd"):
        predict_fn(image[None, :, :, None])
