"""A version of the registry, asked about micrographs."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import (
    CalibrationError,
    ModelError,
    RegistryError,
    ServingError,
)
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.read import read_micrograph
from defectkeras.registry.store import ModelRegistry
from defectkeras.serving.server import running_server
from defectkeras.serving.settings import ServerSettings
from defectkeras.workflows.analysis.remote_classes import (
    load_remote_classes,
    segment_remotely,
)
from defectkeras.workflows.analyze import analyze
from defectkeras.workflows.analyze_settings import AnalyzeSettings
from defectkeras.workflows.measure import Segmented, measure
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
    plain = segment(segmenter, micrograph(), SegmentSettings())
    assert not any("pixel size" in w for w in (*same.warnings, *plain.warnings))


def test_micrograph_unlike_the_training_ones_is_warned_of(segmenter):
    stripes = np.tile(np.arange(150) % 16 < 8, (140, 1)).astype(np.float32)
    field = Micrograph(stripes, Calibration(1.0), "stripes")
    found = segment(segmenter, field, SegmentSettings())
    assert found.applicability.score > 1
    assert found.warnings == (found.applicability.warning,)
    card = dataclasses.replace(segmenter.card, applicability={})
    version = dataclasses.replace(segmenter.version, card=card)
    blind = dataclasses.replace(segmenter, version=version)
    assert segment(blind, field, SegmentSettings()).warnings == ()


def test_card_says_how_many_views_unless_the_user_does(segmenter):
    card = dataclasses.replace(segmenter.card, augment=True)
    version = dataclasses.replace(segmenter.version, card=card)
    own = dataclasses.replace(segmenter, version=version)
    assert len(segment(own, micrograph(), SegmentSettings()).other_class_maps) == 8
    plain = segment(own, micrograph(), SegmentSettings(augment=False))
    assert plain.other_class_maps == ()
    version = dataclasses.replace(
        version, card=dataclasses.replace(card, symmetries="left-right")
    )
    own = dataclasses.replace(segmenter, version=version)
    assert len(segment(own, micrograph(), SegmentSettings()).other_class_maps) == 2


def test_views_that_the_model_has_not_learned_from_are_refused(segmenter):
    card = dataclasses.replace(segmenter.card, symmetries="none")
    version = dataclasses.replace(segmenter.version, card=card)
    own = dataclasses.replace(segmenter, version=version)
    with pytest.raises(RegistryError, match="--augment"):
        segment(own, micrograph(), SegmentSettings(augment=True))


def test_certainty_is_compared_in_the_views_that_the_card_knows(segmenter):
    own = segment(segmenter, micrograph(), SegmentSettings(augment=False))
    other = segment(segmenter, micrograph(), SegmentSettings(augment=True))
    assert set(own.applicability.ratios) == {"grey levels", "texture", "certainty"}
    assert set(other.applicability.ratios) == {"grey levels", "texture"}


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
    assert tiling.halo == 4
    assert tiling.stride == 1


def test_halo_of_a_model_that_sees_the_whole_tile_is_capped(segmenter):
    card = dataclasses.replace(segmenter.card, receptive_field_px=None, stride=32)
    assert tiling_for(card, SegmentSettings()).halo == 128
    assert tiling_for(card, SegmentSettings(tile_size=1024)).halo == 256
    assert tiling_for(card, SegmentSettings(tile_size=320)).halo == 96


def test_unknown_model_names_the_nearest(tiny_registry):
    with pytest.raises(RegistryError, match="Did you mean 'tiny'"):
        load_segmenter("tinny", tiny_registry)


def bright(threshold):
    """A network that takes grey levels above a threshold for the class 1."""

    def predict(tiles):
        defect = 1 / (1 + np.exp(-40 * (tiles - threshold)))
        rest = [np.zeros_like(defect)] * 2
        return np.concatenate([1 - defect, defect, *rest], axis=-1)[..., :4]

    return predict


def disc_field(radius_px=12, shape=(96, 150)):
    """Discs with soft rims: how large they look depends on the threshold."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    far = np.hypot((rows % 48) - 24, (columns % 50) - 25)
    pixels = np.clip(0.5 + (radius_px - far) / 8, 0, 1).astype(np.float32)
    return Micrograph(pixels, Calibration(1.0, 50.0), "discs")


def test_spread_of_variants_goes_into_the_error_bars(segmenter):
    """Members that see other rims give a known spread of areas."""
    levels = (0.35, 0.5, 0.65)
    members = dataclasses.replace(
        segmenter,
        predict_fn=bright(0.5),
        variants=tuple(bright(level) for level in levels),
    )
    field = disc_field()
    found = segment(members, field, SegmentSettings())
    assert len(found.other_class_maps) == 3
    areas = [np.count_nonzero(m) / m.size for m in found.other_class_maps]
    # the rim falls by 1 over 8 px, so the radius moves by 8 px times the level
    expected = [9 * np.pi * (12 + 8 * (0.5 - t)) ** 2 / (96 * 150) for t in levels]
    expected = [e * 6 / 9 for e in expected]  # 2 x 3 discs
    assert areas == pytest.approx(expected, rel=0.05)
    edge = np.abs(field.pixels - 0.5) < 0.1
    assert found.prediction.uncertainty[edge].min() > 0.2
    assert found.prediction.uncertainty[~edge].min() < 0.01

    name = segmenter.card.scheme.defects[0].name
    measured = measure(
        Segmented(
            micrograph=field,
            class_map=found.class_map,
            scheme=segmenter.card.scheme,
            sha256="0" * 64,
            file="field.tif",
            other_class_maps=found.other_class_maps,
        )
    ).find(name, "area_fraction_percent")
    assert measured.parts["model"] == pytest.approx(100 * np.std(areas, ddof=1))


def test_views_are_told_with_augment(segmenter):
    field = micrograph()
    plain = segment(segmenter, field, SegmentSettings())
    assert plain.other_class_maps == ()
    views = segment(segmenter, field, SegmentSettings(augment=True, min_area_px=30))
    assert len(views.other_class_maps) == 8
    assert any((views.other_class_maps[0] != m).any() for m in views.other_class_maps)


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize("scheme", ["rest_url", "grpc_url"])
def test_a_server_gives_what_the_registry_gives(
    tiny_registry, synthetic_spec, tmp_path, scheme
):
    settings = ServerSettings(port=0, grpc_port=0)
    file = next((synthetic_spec.parent / "micrographs").iterdir())
    with running_server(ModelRegistry(tiny_registry), settings) as address:
        tables = [
            analyze(
                [file],
                "tiny",
                output_folder=tmp_path / words["runtime"],
                settings=AnalyzeSettings(SegmentSettings(**words)),
                registry_root=tiny_registry,
            ).quantities()
            for words in (
                {"runtime": "tensorflow"},
                {"runtime": "serving", "url": getattr(address, scheme)},
            )
        ]
        words = {"runtime": "serving", "url": getattr(address, scheme)}
        chosen = SegmentSettings(**words, classes_only=True)
        model = load_remote_classes("tiny", tiny_registry, chosen)
        classes_alone, _ = segment_remotely(model, read_micrograph(file), chosen)
    assert len(tables[0]) > 0
    pd.testing.assert_frame_equal(*tables)
    maps = sorted(tmp_path.rglob("class_map.png"))
    assert maps[0].read_bytes() == maps[1].read_bytes()
    unlike = read_micrograph(maps[0]).pixels != classes_alone
    assert unlike.mean() < 0.05  # the percentiles of grey levels are others


@pytest.mark.parametrize(
    "words", [{"runtime": "serving"}, {"url": "grpc://127.0.0.1:8500"}]
)
def test_runtime_and_url_go_together(tiny_registry, words):
    with pytest.raises(ServingError, match="go together"):
        load_segmenter("tiny", tiny_registry, **words)
