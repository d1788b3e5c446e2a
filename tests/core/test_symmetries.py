import numpy as np
import pytest

from defectkeras.core.symmetries import VIEWS, transform, transform_back

TILES = np.arange(2 * 5 * 5 * 3, dtype=np.float32).reshape(2, 5, 5, 3)


@pytest.mark.parametrize("index", VIEWS["square"])
def test_the_way_back_undoes_the_view(index):
    np.testing.assert_array_equal(transform_back(transform(TILES, index), index), TILES)


def test_the_eight_views_are_the_whole_group():
    views = {transform(TILES, index).tobytes() for index in VIEWS["square"]}
    transposed = np.ascontiguousarray(TILES.swapaxes(1, 2))
    assert len(views) == 8
    assert {TILES.tobytes(), transposed.tobytes()} <= views


def test_left_right_leaves_up_and_down():
    views = [transform(TILES, index) for index in VIEWS["left-right"]]
    np.testing.assert_array_equal(views, [TILES, TILES[:, :, ::-1]])


@pytest.mark.parametrize("index", VIEWS["square"])
def test_channels_and_tiles_stay_in_place(index):
    view = transform(TILES, index)
    assert view.flags.c_contiguous
    for tile, original in zip(view, TILES, strict=True):
        pixels = {tuple(p) for p in tile.reshape(-1, 3)}
        assert pixels == {tuple(p) for p in original.reshape(-1, 3)}
