"""A version of the registry, asked about micrographs."""

import dataclasses

import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import CalibrationError, ModelError, RegistryError
from defectkeras.core.micrograph import Micrograph
from defectkeras.workflows.segment import (
    Segmenter,
    SegmentSettings,
    load_segmenter,
    segment,
    tiling_for,
)


def micrograph(pixel_size_nm=1.0, shape=(70, 101)):
    pixels = np.random.default_rng(0).normal(100, 20, shape).astype(np.float32)
    return Micrograph(pixels, Calibration(pixel_size_nm), "noise")


@pytest.fixture(scope="module")
def segmenter(tiny_registry) -> Segmenter:
    return load_segmenter("tiny", tiny_registry)


def test_interior_does_not_depend_on_the_tiling(segmenter):
    field = micrograph(shape=(200, 331))
    maps = [
        segment(segmenter, field, SegmentSettings(tile_size=size)).prediction
        for size in (160, 512)
    ]
    np.testing.assert_allclose(
        maps[0].probability_map, maps[1].probability_map, atol=1e-5
    )


def test_pixel_size_outside_the_range_is_warned_of_or_mended(segmenter):
    far = micrograph(pixel_size_nm=2.0)
    plain = segment(segmenter, far, SegmentSettings())
    assert "outside" in plain.warnings[0]
    rescaled = segment(segmenter, far, SegmentSettings(rescale=True))
    assert rescaled.warnings[0].startswith("Resampled from 2 to ")
    assert rescaled.class_map.shape == far.shape
    same = segment(segmenter, micrograph(), SegmentSettings(rescale=True))
    assert same.warnings == ()
    assert segment(segmenter, micrograph(), SegmentSettings()).warnings == ()


def test_rescale_needs_pixel_sizes(segmenter):
    settings = SegmentSettings(rescale=True)
    with pytest.raises(CalibrationError, match="pixel size must be known"):
        segment(segmenter, micrograph(pixel_size_nm=None), settings)
    card = dataclasses.replace(segmenter.card, pixel_size_range_nm=None)
    version = dataclasses.replace(segmenter.version, card=card)
    blind = dataclasses.replace(segmenter, version=version)
    with pytest.raises(ModelError, match="Leave out --rescale"):
        segment(blind, micrograph(), settings)


def test_specks_are_taken_out(segmenter):
    field = micrograph()
    all_of_it = segment(segmenter, field, SegmentSettings()).class_map
    huge = SegmentSettings(min_area_px=field.pixels.size + 1)
    assert (all_of_it > 0).any()
    assert not segment(segmenter, field, huge).class_map.any()


def test_halo_is_the_radius_of_the_receptive_field(segmenter):
    tiling = tiling_for(segmenter.card, SegmentSettings())
    assert tiling.halo == 51
    assert tiling.stride == 8


def test_halo_of_a_model_that_sees_the_whole_tile_is_capped(segmenter):
    card = dataclasses.replace(segmenter.card, receptive_field_px=None, stride=32)
    assert tiling_for(card, SegmentSettings()).halo == 128
    assert tiling_for(card, SegmentSettings(tile_size=1024)).halo == 256
    assert tiling_for(card, SegmentSettings(tile_size=320)).halo == 96


def test_unknown_model_names_the_nearest(tiny_registry):
    with pytest.raises(RegistryError, match="Did you mean 'tiny'"):
        load_segmenter("tinny", tiny_registry)
