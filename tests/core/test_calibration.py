import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import CalibrationError

LENGTHS = st.floats(1e-3, 1e6)
SIDES = st.integers(1, 100_000)


@given(LENGTHS, SIDES, SIDES)
def test_field_of_view_is_sides_multiplied(pixel, rows, columns):
    calibration = Calibration(pixel_size_nm=pixel)
    height, width = calibration.field_of_view_nm((rows, columns))
    assert (height, width) == (rows * pixel, columns * pixel)


@given(st.one_of(st.floats(max_value=0), st.just(math.nan), st.just(math.inf)))
def test_impossible_lengths_are_refused(value):
    with pytest.raises(CalibrationError, match="pixel_size_nm"):
        Calibration(pixel_size_nm=value)
    with pytest.raises(CalibrationError, match="foil_thickness_nm"):
        Calibration(foil_thickness_nm=value)


@pytest.mark.parametrize("name", ["pixel_size", "foil_thickness"])
def test_an_error_as_large_as_its_value_is_refused(name):
    told = {f"{name}_nm": 20.0, f"{name}_sigma_nm": 20.0}
    with pytest.raises(CalibrationError, match=f"`{name}_sigma_nm` must be below"):
        Calibration(**told)


def test_an_integer_too_large_for_a_float_is_refused():
    with pytest.raises(CalibrationError, match="finite"):
        Calibration(pixel_size_nm=10**400)


def test_numbers_of_numpy_are_numbers():
    assert Calibration(pixel_size_nm=np.float32(0.5)).require_pixel_size_nm() == 0.5


def test_no_pixel_size_no_nanometres():
    calibration = Calibration(foil_thickness_nm=100.0)
    assert calibration.pixel_size_source == "none"
    for ask in (
        calibration.require_pixel_size_nm,
        lambda: calibration.field_of_view_nm((2, 3)),
    ):
        with pytest.raises(CalibrationError, match="--pixel-size-nm"):
            ask()


def test_no_thickness_no_volume():
    calibration = Calibration(pixel_size_nm=0.5)
    with pytest.raises(CalibrationError, match="--foil-thickness-nm"):
        calibration.require_foil_thickness_nm()


def test_an_error_without_its_value_is_noted():
    known = Calibration(0.5, 80.0, pixel_size_sigma_nm=0.01)
    assert known.notes() == ()
    (note,) = Calibration(foil_thickness_nm=80.0, pixel_size_sigma_nm=0.01).notes()
    assert "the pixel size is not known" in note
