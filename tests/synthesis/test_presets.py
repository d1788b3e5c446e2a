from dataclasses import fields

import numpy as np
import pytest

from defectkeras.synthesis.contents import Contents
from defectkeras.synthesis.imaging import WAVELENGTH_NM, Imaging
from defectkeras.synthesis.presets import PRESETS, Range

IMAGING = {f.name for f in fields(Imaging)}
CONTENTS = {f.name for f in fields(Contents)}


@pytest.mark.parametrize("name", PRESETS)
def test_ranges_are_of_known_things(name):
    preset = PRESETS[name]
    coverage = {f"{k}_coverage" for k in ("precipitate", "void", "loop")}
    assert set(preset.imaging) - {"fringe_px"} <= IMAGING
    assert set(preset.contents) <= CONTENTS | coverage
    for entry in (*preset.imaging.values(), *preset.contents.values()):
        assert entry.low <= entry.high


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("pixel_size_nm", [0.3, 1.0, 2.0])
def test_draws_lie_in_their_ranges(name, pixel_size_nm):
    preset = PRESETS[name]
    rng = np.random.default_rng(4)
    for _ in range(20):
        contents = preset.draw_contents(
            rng, pixel_size_nm=pixel_size_nm, foil_thickness_nm=100.0
        )
        imaging = preset.draw_imaging(rng, pixel_size_nm=pixel_size_nm)
        for source, ranges in ((contents, preset.contents), (imaging, preset.imaging)):
            for key in set(ranges) & (IMAGING | CONTENTS):
                value = abs(getattr(source, key))
                largest = max(ranges[key].high, 6 * pixel_size_nm)
                assert ranges[key].low <= value <= largest


def test_coverage_is_what_is_seen():
    preset = PRESETS["voids"]
    rng = np.random.default_rng(0)
    contents = preset.draw_contents(rng, pixel_size_nm=0.5, foil_thickness_nm=60.0)
    sd, mean_nm = contents.void_log_sd, contents.void_diameter_nm
    sizes_nm = mean_nm * np.exp(sd * rng.normal(size=100_000) - sd**2 / 2)
    disc_nm2 = np.pi / 4 * np.mean((sizes_nm + 4 * 0.5) ** 2)
    seen_per_nm2 = contents.voids_per_m3 * 1e-27 * (60.0 + mean_nm)
    assert 0.015 <= disc_nm2 * seen_per_nm2 <= 0.16


def test_fringe_gives_the_defocus_and_its_sign():
    imaging = [
        PRESETS["voids"].draw_imaging(np.random.default_rng(s), pixel_size_nm=1.0)
        for s in range(20)
    ]
    widths = [np.sqrt(abs(i.defocus_nm) * WAVELENGTH_NM) for i in imaging]
    assert 1.2 <= min(widths) <= max(widths) <= 2.4
    assert {np.sign(i.defocus_nm) for i in imaging} == {-1.0, 1.0}


def test_each_preset_has_only_the_classes_of_its_scheme():
    for preset in PRESETS.values():
        names = {c.name for c in preset.scheme.classes}
        for kind in ("precipitate", "void", "loop"):
            assert f"{kind}_coverage" not in preset.contents or kind in names


def test_range_flips_and_spreads():
    rng = np.random.default_rng(0)
    wide = Range(1e13, 1e15, logarithmic=True, flip=0.25)
    values = np.array([wide.draw(rng) for _ in range(2000)])
    assert np.mean(values < 0) == pytest.approx(0.25, abs=0.03)
    assert np.mean(abs(values) < 1e14) == pytest.approx(0.5, abs=0.04)
