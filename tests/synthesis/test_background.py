from dataclasses import replace

import numpy as np
import pytest

from defectkeras.synthesis.background import (
    draw_background,
    draw_bending,
    draw_noise,
    draw_tilt,
)
from defectkeras.synthesis.imaging import Imaging

SHAPE = (180, 260)


def test_ideal_foil_is_even():
    image = draw_background(np.random.default_rng(0), SHAPE, Imaging(), 100.0)
    assert image.shape == SHAPE
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, 1, rtol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"bend_contours": 0.5},
        {"thickness_gradient": 0.3},
        {"shading": 0.1},
        {"texture": 0.05},
    ],
)
def test_each_cause_varies_the_background(change):
    imaging = replace(Imaging(), **change)
    image = draw_background(np.random.default_rng(1), SHAPE, imaging, 100.0)
    assert image.mean() == pytest.approx(1, rel=1e-4)
    assert image.min() > 0
    assert image.std() > 0.01


def test_a_convergent_probe_softens_bend_contours():
    parallel = Imaging(bend_contours=0.5, bend_range=8.0)
    convergent = replace(parallel, deviation_spread=2.0)
    steep = [
        abs(
            np.diff(draw_background(np.random.default_rng(2), SHAPE, i, 100.0), n=2)
        ).mean()
        for i in (parallel, convergent)
    ]
    assert steep[1] < steep[0]


@pytest.mark.parametrize("scale_px", [4.0, 15.0])
def test_noise_has_unit_rms_and_its_scale(scale_px):
    noise = np.stack(
        [draw_noise(np.random.default_rng(s), SHAPE, scale_px) for s in range(4)]
    )
    assert noise.std() == pytest.approx(1, abs=0.15)
    step = int(scale_px)
    near = np.mean(noise[..., 1:] * noise[..., :-1]) / np.mean(noise**2)
    far = np.mean(noise[..., 4 * step :] * noise[..., : -4 * step]) / np.mean(noise**2)
    assert near > 0.8
    assert abs(far) < 0.2


def test_tilt_and_bending_span_their_range():
    tilt = draw_tilt(np.random.default_rng(0), (30, 50))
    assert (tilt.min(), tilt.max()) == pytest.approx((-1, 1))
    bent = draw_bending(np.random.default_rng(0), (30, 50), Imaging(bend_range=5.0))
    assert np.ptp(bent) > 5
