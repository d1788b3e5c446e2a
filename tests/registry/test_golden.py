import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.errors import RegistryError
from defectkeras.registry.golden import (
    GOLDEN,
    Golden,
    full_precision,
    make_golden,
    prepare_tiles,
    read_golden,
    require_golden,
    write_golden,
)


def test_round_trip(tmp_path, model, make_card, golden_image):
    golden = make_golden(model, make_card(), golden_image)
    (tmp_path / GOLDEN).parent.mkdir(parents=True)
    write_golden(golden, tmp_path)
    read = read_golden(tmp_path)
    np.testing.assert_array_equal(read.image, golden_image)
    np.testing.assert_array_equal(read.probability_map, golden.probability_map)
    assert read.probability_map.shape == (37, 53, 3)
    assert read.tolerance == 1e-3
    np.testing.assert_allclose(read.probability_map.sum(axis=-1), 1, atol=1e-6)


def test_full_precision_is_for_a_while_only():
    enabled = tf.config.experimental.tensor_float_32_execution_enabled
    before = enabled()
    with pytest.raises(KeyError), full_precision():
        raise KeyError(enabled())
    assert enabled() == before
    with full_precision():
        assert not enabled()


def test_middle_of_a_large_micrograph_is_taken(model, make_card):
    image = np.random.default_rng(2).random((301, 40), dtype=np.float32)
    golden = make_golden(model, make_card(), image)
    np.testing.assert_array_equal(golden.image, image[72:228])


def test_mixed_precision_may_be_further_off(make_model, make_card, golden_image):
    model = make_model()
    model.layers[1].dtype_policy = "mixed_bfloat16"
    assert make_golden(model, make_card(), golden_image).tolerance == 3e-2


def test_tiles_are_normalized_and_mirrored(make_card, golden_image):
    tiles = prepare_tiles(make_card(), golden_image)
    assert tiles.shape == (1, 40, 56, 1)
    assert (tiles.min(), tiles.max()) == (0, 1)
    np.testing.assert_array_equal(tiles[0, 37:, :, 0], tiles[0, 36:33:-1, :, 0])


@pytest.fixture
def golden(golden_image):
    return Golden(golden_image, np.full((37, 53, 2), 0.5, np.float32), 1e-3)


def test_small_deviation_passes(golden):
    require_golden(golden, lambda _: golden.probability_map + 5e-4, what="it")


@pytest.mark.parametrize("change", [0.2, np.nan])
def test_deviation_of_one_pixel_is_told(golden, change):
    found = golden.probability_map.copy()
    found[3, 4, 1] += change
    with pytest.raises(RegistryError, match=r"it must give .* off by (0.2|nan)"):
        require_golden(golden, lambda _: found, what="it")


def test_other_shape_is_told(golden):
    with pytest.raises(RegistryError, match=r"\(37, 53, 2\).*\(53, 37, 2\)"):
        require_golden(golden, lambda i: np.zeros((*i.T.shape, 2)), what="it")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04N.", b"?"])
def test_unreadable_golden_is_told(tmp_path, content):
    (tmp_path / GOLDEN).parent.mkdir(parents=True)
    (tmp_path / GOLDEN).write_bytes(content)
    with pytest.raises(RegistryError, match=r"golden\.npz cannot be read"):
        read_golden(tmp_path)


def test_golden_with_a_missing_array_is_told(tmp_path, golden):
    (tmp_path / GOLDEN).parent.mkdir(parents=True)
    np.savez(tmp_path / GOLDEN, image=golden.image)
    with pytest.raises(RegistryError, match=r"golden\.npz cannot be read"):
        read_golden(tmp_path)
