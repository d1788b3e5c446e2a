import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import CalibrationError, ModelError
from defectkeras.core.micrograph import Micrograph
from defectkeras.core.symmetries import VIEWS
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.prediction.predict import predict_image, predict_micrograph
from defectkeras.prediction.tiling import Tiling

STRIDE = 4
KERNELS = np.random.default_rng(1).normal(size=(3, 9, 9)).astype(np.float32)
RADIUS = 9 // 2 * 2 + STRIDE  # two convolutions, then cells of STRIDE pixels


def convolve(tiles):
    """A small network: two convolutions, pooling and its undoing, softmax."""
    logits = []
    for kernel in KERNELS:
        first = ndimage.convolve(tiles[..., 0], kernel[np.newaxis], mode="constant")
        hidden = np.maximum(first, 0)
        second = ndimage.convolve(hidden, kernel[np.newaxis], mode="constant")
        n, h, w = second.shape
        cells = second.reshape(n, h // STRIDE, STRIDE, w // STRIDE, STRIDE)
        pooled = cells.max(axis=(2, 4)).repeat(STRIDE, 1).repeat(STRIDE, 2)
        logits.append(0.06 * (second + pooled))
    powers = np.exp(np.stack(logits, axis=-1))
    return powers / powers.sum(axis=-1, keepdims=True)


def tiling(tile_size, **others):
    return Tiling(**{"tile_size": tile_size, "halo": RADIUS, "stride": STRIDE} | others)


def noise(*shape):
    return np.random.default_rng(2).random(shape, dtype=np.float32)


def test_the_result_does_not_depend_on_the_tiling():
    image = noise(131, 203)
    whole = predict_image(convolve, image, num_classes=3, tiling=tiling(512))
    for size, overlap, batch_size in ((96, 8, 1), (112, 4, 3), (160, 0, 4)):
        tiled = predict_image(
            convolve,
            image,
            num_classes=3,
            tiling=tiling(size, overlap=overlap, batch_size=batch_size),
        )
        np.testing.assert_allclose(
            tiled.probability_map, whole.probability_map, atol=1e-5
        )
    assert np.ptp(whole.probability_map) > 0.5  # there was something to spoil


def test_the_interior_is_what_the_whole_image_gives_at_once():
    image = noise(132, 204)
    at_once = convolve(image[np.newaxis, ..., np.newaxis])
    tiled = predict_image(convolve, image, num_classes=3, tiling=tiling(80))
    inner = slice(RADIUS, -RADIUS)
    np.testing.assert_allclose(
        tiled.probability_map[inner, inner], at_once[0, inner, inner], atol=1e-5
    )


def test_too_small_a_halo_would_be_seen():
    """The test above can fail: without context the seams show."""
    image = noise(131, 203)
    whole = predict_image(convolve, image, num_classes=3, tiling=tiling(512))
    seamed = predict_image(convolve, image, num_classes=3, tiling=tiling(80, halo=0))
    difference = np.abs(seamed.probability_map - whole.probability_map)
    assert difference.max() > 0.05


@settings(deadline=None, max_examples=30)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    tile_size=st.integers(72, 130),
    symmetries=st.sampled_from(sorted(VIEWS)),
)
def test_any_size_gives_a_whole_prediction(height, width, tile_size, symmetries):
    image = noise(height, width)
    prediction = predict_image(
        convolve, image, num_classes=3, tiling=tiling(tile_size), symmetries=symmetries
    )
    assert prediction.probability_map.shape == (height, width, 3)
    assert prediction.probability_map.dtype == np.float32
    assert prediction.class_map.shape == (height, width)
    assert prediction.class_map.dtype == np.int32
    np.testing.assert_allclose(prediction.probability_map.sum(axis=-1), 1, atol=1e-5)
    if symmetries != "none":
        assert prediction.uncertainty.shape == (height, width)
        assert 0 <= prediction.uncertainty.min() <= prediction.uncertainty.max() <= 0.5
    else:
        assert prediction.uncertainty is None


def test_all_tiles_of_a_call_have_one_square_shape_of_the_stride():
    shapes = set()

    def predict_fn(tiles):
        assert tiles.dtype == np.float32
        assert tiles.flags.c_contiguous
        shapes.add(tiles.shape[1:])
        return convolve(tiles)

    predict_image(predict_fn, noise(90, 211), num_classes=3, tiling=tiling(96))
    ((height, width, channels),) = shapes
    assert height == width <= 96
    assert height % STRIDE == 0
    assert channels == 1


def test_views_are_averaged_and_their_spread_is_told():
    """A ramp along the columns is told apart by the eight views in a known way."""

    def column_ramp(tiles):
        share = np.linspace(0, 1, tiles.shape[2], dtype=np.float32)
        defect = np.broadcast_to(share, tiles.shape[:3])
        return np.stack([1 - defect, defect], axis=-1)

    image = noise(24, 24)
    one_tile = Tiling(tile_size=64, halo=0, stride=8, overlap=0)
    prediction = predict_image(
        column_ramp, image, num_classes=2, tiling=one_tile, symmetries="square"
    )
    rows, columns = np.mgrid[0:24, 0:24] / 23
    views = np.stack([columns, 1 - columns, rows, 1 - rows])
    defect = prediction.probability_map[..., 1]
    np.testing.assert_allclose(defect, views.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(prediction.uncertainty, views.std(axis=0), atol=1e-6)
    seen = np.sort([view[3, 20] for view in prediction.view_class_maps])
    np.testing.assert_array_equal(seen, np.sort(np.repeat(views[:, 3, 20] > 0.5, 2)))


def test_left_right_is_the_mean_of_two_views():
    image, tiles = noise(48, 80), tiling(96)
    options = {"num_classes": 3, "tiling": tiles}
    plain = predict_image(convolve, image, **options).probability_map
    mirrored = predict_image(convolve, image[:, ::-1], **options).probability_map
    two = predict_image(convolve, image, symmetries="left-right", **options)
    views = np.stack([plain, mirrored[:, ::-1]])
    np.testing.assert_allclose(two.probability_map, views.mean(axis=0), atol=1e-6)
    spread = views.std(axis=0).max(axis=-1)
    np.testing.assert_allclose(two.uncertainty, spread, atol=1e-6)


def test_views_alone_are_those_of_the_whole_image():
    image = noise(132, 204)
    whole, tiled = (
        predict_image(
            convolve, image, num_classes=3, tiling=tiling(size), symmetries="square"
        ).view_class_maps
        for size in (512, 112)
    )
    assert len(whole) == 8
    assert any((whole[0] != other).any() for other in whole[1:])
    for one, other in zip(whole, tiled, strict=True):
        assert np.mean(one != other) < 1e-3  # but for equal probabilities


def test_a_network_that_ignores_direction_has_no_spread():
    def blur(tiles):
        defect = ndimage.gaussian_filter(tiles[..., 0], (0, 2, 2))
        return np.stack([1 - defect, defect], axis=-1)

    image = noise(61, 83)
    plain = predict_image(blur, image, num_classes=2)
    augmented = predict_image(blur, image, num_classes=2, symmetries="square")
    np.testing.assert_allclose(
        augmented.probability_map, plain.probability_map, atol=1e-6
    )
    assert augmented.uncertainty.max() < 1e-6


def test_turning_the_image_turns_the_augmented_prediction():
    image = noise(48, 80)
    flat = predict_image(
        convolve, image, num_classes=3, tiling=tiling(96), symmetries="square"
    )
    turned = predict_image(
        convolve, np.rot90(image), num_classes=3, tiling=tiling(96), symmetries="square"
    )
    np.testing.assert_allclose(
        turned.probability_map, np.rot90(flat.probability_map), atol=1e-5
    )


@pytest.mark.parametrize("symmetries", ["none", "square"])
def test_memory_is_bounded_by_the_output_and_a_batch_of_tiles(symmetries):
    """The same tiles over four times the area add no more than the output does."""

    def cheap(tiles):
        return np.concatenate([1 - tiles, tiles], axis=-1)

    sizes = Tiling(tile_size=256, halo=16, batch_size=2)

    def peak(image):
        tracemalloc.start()
        predict_image(cheap, image, num_classes=2, tiling=sizes, symmetries=symmetries)
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    small, large = noise(400, 600), noise(800, 1200)
    added_pixels = large.size - small.size
    # probabilities 8, classes 4 + 8 while argmax runs, uncertainty 4, image check 1,
    # and the eight views 1 each
    bound = 26 if symmetries == "none" else 34
    assert (peak(large) - peak(small)) / added_pixels < bound
    tiles = 2 * 256 * 256 * 2 * 4
    assert peak(large) < bound * large.size + 12 * tiles


def test_progress_counts_the_tiles():
    seen = []
    predict_image(
        convolve,
        noise(90, 211),
        num_classes=3,
        tiling=tiling(80, batch_size=4),
        on_progress=lambda done, total: seen.append((done, total)),
    )
    done, totals = zip(*seen, strict=True)
    assert len(set(totals)) == 1
    assert done[-1] == totals[0]
    assert list(done) == sorted(set(done))


def test_thresholds_decide_the_classes():
    image = np.array([[0.1, 0.4, 0.6]], dtype=np.float32)

    def bright(tiles):
        return np.concatenate([1 - tiles, tiles], axis=-1)

    low = predict_image(bright, image, num_classes=2, thresholds=(0.3,))
    high = predict_image(bright, image, num_classes=2, thresholds=(0.7,))
    assert low.class_map.tolist() == [[0, 1, 1]]
    assert high.class_map.tolist() == [[0, 0, 0]]


def test_a_model_of_other_classes_is_refused():
    with pytest.raises(ModelError, match="for 2 classes"):
        predict_image(convolve, noise(20, 30), num_classes=2)


def test_damaged_weights_are_refused():
    with pytest.raises(ModelError, match="NaN or infinite"):
        predict_image(
            lambda tiles: np.full((*tiles.shape[:3], 2), np.nan),
            noise(20, 30),
            num_classes=2,
        )


def micrograph(pixels, **calibration):
    return Micrograph(pixels, Calibration(**calibration), "field")


def bright(tiles):
    return np.concatenate([1 - tiles, tiles], axis=-1)


def test_a_micrograph_is_normalized_as_a_whole():
    pixels = 3000 + 500 * noise(61, 83)
    found = predict_micrograph(bright, micrograph(pixels), num_classes=2)
    expected = normalize_percentile(pixels)
    np.testing.assert_allclose(found.probability_map[..., 1], expected, atol=1e-6)


def disc_field(pixel_size_nm):
    """A bright disc of 60 nm in a field of 200 nm x 300 nm."""
    rows, columns = np.mgrid[0 : 200 / pixel_size_nm, 0 : 300 / pixel_size_nm]
    row_nm, column_nm = (rows + 0.5) * pixel_size_nm, (columns + 0.5) * pixel_size_nm
    inside = np.hypot(row_nm - 90, column_nm - 160) < 30
    return 100 + 50 * inside.astype(np.float32), inside


@pytest.mark.parametrize("pixel_size_nm", [0.5, 2.0])
def test_rescaling_shows_the_network_its_own_pixel_size(pixel_size_nm):
    pixels, inside = disc_field(pixel_size_nm)
    areas_px = []

    def predict_fn(tiles):
        areas_px.append(int((tiles[0, :200, :300, 0] > 0.5).sum()))
        return bright(tiles)

    prediction = predict_micrograph(
        predict_fn,
        micrograph(pixels, pixel_size_nm=pixel_size_nm),
        num_classes=2,
        tiling=Tiling(tile_size=512, halo=0),
        target_pixel_size_nm=1.0,
        symmetries="square",
    )
    assert areas_px[0] == pytest.approx(np.pi * 30**2, rel=0.03)
    assert prediction.class_map.shape == pixels.shape
    assert prediction.uncertainty.shape == pixels.shape
    np.testing.assert_allclose(prediction.probability_map.sum(axis=-1), 1, atol=1e-5)
    assert (prediction.class_map == 1).sum() == pytest.approx(inside.sum(), rel=0.03)


def test_rescaling_needs_a_pixel_size():
    with pytest.raises(CalibrationError, match="--pixel-size-nm"):
        predict_micrograph(
            bright, micrograph(noise(9, 12)), num_classes=2, target_pixel_size_nm=1.0
        )
