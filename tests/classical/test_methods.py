"""What every method of the table promises."""

import numpy as np
import pytest

from defectkeras.classical.methods import CLASSICAL_METHODS
from defectkeras.prediction.predict import predict_image
from defectkeras.prediction.tiling import Tiling


@pytest.mark.parametrize("method", CLASSICAL_METHODS)
def test_both_polarities_give_the_same(method, discs, draw):
    bright = draw(discs)
    find = CLASSICAL_METHODS[method]
    tiles = bright[None, :, :, None]
    found = find(bright, polarity="bright")(tiles)
    turned = find(1 - bright, polarity="dark")(1 - tiles)
    assert found.shape == (1, *discs.shape, 2)
    assert np.mean(found != turned) < 0.001  # 1 - (1 - x) is rounded


@pytest.mark.parametrize("method", CLASSICAL_METHODS)
def test_unknown_polarity_is_told(method, discs, draw):
    with pytest.raises(ValueError, match='"dark" or "bright"'):
        CLASSICAL_METHODS[method](draw(discs), polarity="both")


@pytest.mark.parametrize("method", ["otsu", "local_threshold", "ridges"])
def test_result_does_not_depend_on_the_tiles(method, lines, draw):
    """What the whole image decides holds for every tile of it."""
    image = draw(lines, shade=0.2)
    predict_fn = CLASSICAL_METHODS[method](image, polarity="bright")
    whole, tiled = (
        predict_image(
            predict_fn, image, num_classes=2, tiling=Tiling(tile_size=size, halo=64)
        ).class_map
        for size in (512, 192)
    )
    np.testing.assert_array_equal(whole, tiled)
