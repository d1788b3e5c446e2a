import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.prediction.domain import check_pixel_size


@pytest.mark.parametrize("size_nm", [0.8 * (1 - 1e-9), 1.0, 1.25 * (1 + 1e-9)])
def test_inside_the_range_nothing_is_said(size_nm):
    calibration = Calibration(pixel_size_nm=size_nm)
    assert check_pixel_size(calibration, (0.8, 1.25)) is None


@pytest.mark.parametrize("size_nm", [0.79, 1.26, 100.0])
def test_outside_the_range_a_warning_names_both(size_nm):
    warning = check_pixel_size(Calibration(pixel_size_nm=size_nm), (0.8, 1.25))
    assert f"{size_nm:g} nm" in warning
    assert "0.8 to 1.25 nm" in warning
    assert "--rescale" in warning


def test_an_unknown_pixel_size_is_said():
    warning = check_pixel_size(Calibration(), (1.0, 1.0))
    assert "not known" in warning
    assert "the 1 nm that" in warning
    assert "--pixel-size-nm" in warning


def test_a_model_without_a_range_cannot_warn():
    assert check_pixel_size(Calibration(pixel_size_nm=3.0), None) is None
