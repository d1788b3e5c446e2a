import tracemalloc

import numpy as np
import pytest

from defectkeras.core.symmetries import VIEWS
from defectkeras.prediction.bands import predict_bands
from defectkeras.prediction.predict import predict_image
from defectkeras.prediction.tiling import Tiling


def blurred(tiles):
    """Two classes from the mean of 3 x 3 pixels."""
    padded = np.pad(tiles[..., 0], ((0, 0), (1, 1), (1, 1)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    mean = windows.mean(axis=(-1, -2), dtype=np.float32)
    return np.stack([1 - mean, mean], axis=-1)


@pytest.mark.parametrize("symmetries", VIEWS)
@pytest.mark.parametrize("batch_size", [1, 5])
def test_bands_are_the_whole_read_a_few_rows_at_a_time(symmetries, batch_size):
    image = np.random.default_rng(0).random((150, 90), np.float32)
    tiling = Tiling(tile_size=40, halo=4, batch_size=batch_size, stride=2, overlap=4)
    asked = []

    def read_rows(first, stop):
        asked.append(stop - first)
        return image[first:stop]

    options = {"num_classes": 2, "tiling": tiling, "symmetries": symmetries}
    whole = predict_image(blurred, image, **options)
    bands = list(predict_bands(blurred, read_rows, image.shape, **options))
    rows = [len(band.class_map) for _, band in bands]
    assert [first for first, _ in bands] == [sum(rows[:n]) for n in range(len(rows))]
    for name in ("probability_map", "class_map"):
        found = np.concatenate([getattr(band, name) for _, band in bands])
        np.testing.assert_array_equal(found, getattr(whole, name))
    if symmetries != "none":
        spread = np.concatenate([band.uncertainty for _, band in bands])
        np.testing.assert_array_equal(spread, whole.uncertainty)
        assert len(bands[0][1].view_class_maps) == len(VIEWS[symmetries])
    assert max(asked) < 90  # some tiles high, never the whole
    assert len(asked) <= 2 * len(bands) + 2  # rows are not read for each batch


def test_memory_is_that_of_the_rows_of_a_tile(monkeypatch):
    monkeypatch.setattr("defectkeras.prediction.bands.BAND_PX", 1 << 16)
    shape, tiling = (900, 3000), Tiling(tile_size=256, halo=16, batch_size=1)
    tracemalloc.start()
    bands = predict_bands(
        lambda tiles: np.concatenate([1 - tiles, tiles], axis=-1),
        lambda first, stop: np.zeros((stop - first, shape[1]), np.float32),
        shape,
        num_classes=2,
        tiling=tiling,
    )
    rows = [len(band.class_map) for _, band in bands]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(rows) == shape[0]
    assert max(rows) == (1 << 16) // shape[1]
    # image 4, probabilities 8 and those of one band, old and new
    assert peak / (tiling.tile_size * shape[1]) < 22
