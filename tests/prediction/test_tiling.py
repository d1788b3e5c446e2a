import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defectkeras.core.errors import ModelError
from defectkeras.prediction.tiling import (
    Tiling,
    blend_tiles,
    cut_tiles,
    plan_tiles,
)

SHAPES = st.tuples(st.integers(1, 150), st.integers(1, 150))
TILINGS = st.builds(
    Tiling,
    tile_size=st.integers(48, 96),
    halo=st.integers(0, 8),
    batch_size=st.integers(1, 5),
    stride=st.sampled_from([1, 2, 8]),
    overlap=st.integers(0, 8),
)


@settings(deadline=None, max_examples=150)
@given(shape=SHAPES, tiling=TILINGS)
def test_weights_add_up_to_one(shape, tiling):
    plan = plan_tiles(shape, tiling)
    total = np.zeros((*shape, 1), dtype=np.float32)
    for positions in plan.batches(tiling.batch_size):
        ones = np.ones((len(positions), plan.tile_size, plan.tile_size, 1), np.float32)
        blend_tiles(total, ones, plan, positions)
    np.testing.assert_allclose(total, 1, atol=1e-6)


@settings(deadline=None, max_examples=150)
@given(shape=SHAPES, tiling=TILINGS)
def test_blending_what_was_cut_gives_the_image(shape, tiling):
    image = np.random.default_rng(5).random(shape, dtype=np.float32)
    plan = plan_tiles(shape, tiling)
    total = np.zeros((*shape, 1), dtype=np.float32)
    for positions in plan.batches(tiling.batch_size):
        blend_tiles(total, cut_tiles(image, plan, positions), plan, positions)
    np.testing.assert_allclose(total[..., 0], image, atol=1e-6)


@settings(deadline=None, max_examples=200)
@given(shape=SHAPES, tiling=TILINGS)
def test_tiles_keep_the_stride_and_the_largest_size(shape, tiling):
    plan = plan_tiles(shape, tiling)
    assert plan.tile_size <= tiling.tile_size
    assert plan.halo >= tiling.halo
    for number in (plan.tile_size, plan.halo, *plan.rows, *plan.columns):
        assert number % tiling.stride == 0
    for starts, length in zip((plan.rows, plan.columns), shape, strict=True):
        assert starts[-1] + plan.core_size >= length
        if len(starts) > 2:  # never three cores over one pixel
            assert starts[2] >= starts[0] + plan.core_size


@settings(deadline=None, max_examples=100)
@given(shape=SHAPES, tiling=TILINGS)
def test_tiles_continue_the_image_as_its_mirror(shape, tiling):
    image = np.random.default_rng(6).random(shape, dtype=np.float32)
    plan = plan_tiles(shape, tiling)
    ends = (plan.rows[-1], plan.columns[-1])
    after = [
        max(0, end + plan.core_size + plan.halo - length)
        for end, length in zip(ends, shape, strict=True)
    ]
    padded = np.pad(image, [(plan.halo, n) for n in after], mode="symmetric")
    for positions in plan.batches(3):
        tiles = cut_tiles(image, plan, positions)
        for tile, (row, column) in zip(tiles, positions, strict=True):
            size = plan.tile_size
            expected = padded[row : row + size, column : column + size]
            np.testing.assert_array_equal(tile[..., 0], expected)


def test_a_small_image_gets_one_small_tile():
    plan = plan_tiles((40, 57), Tiling(tile_size=512, halo=48, stride=8))
    assert plan.num_tiles == 1
    assert plan.tile_size == 64 + 2 * 48


def test_tiles_are_no_larger_than_their_number_needs():
    plan = plan_tiles((1000, 1000), Tiling(tile_size=512, halo=64, overlap=16))
    assert plan.num_tiles == 9
    assert plan.tile_size == 344 + 2 * 64
    assert plan.rows == (0, 328, 656)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"halo": -1}, "`halo` must be 0 or more. Received: halo=-1."),
        ({"batch_size": 0}, "`batch_size` must be 1 or more"),
        ({"stride": 0}, "`stride` must be 1 or more"),
        ({"tile_size": 128, "halo": 64}, "`tile_size` must be 176 or more"),
        ({"tile_size": 7, "halo": 0, "overlap": 0}, "`tile_size` must be 8 or more"),
    ],
)
def test_impossible_sizes_are_refused(arguments, message):
    with pytest.raises(ModelError, match=message):
        Tiling(**arguments)
