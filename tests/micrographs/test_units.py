import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.frame import Scale
from defectkeras.micrographs.units import length_nm, pixel_size_nm


def scale(rows, columns, rows_unit="nm", columns_unit="nm"):
    return Scale(rows, columns, rows_unit, columns_unit, "test")


@pytest.mark.parametrize(
    ("value", "unit", "expected_nm"),
    [
        (2e-10, "m", 0.2),
        (1.0, "cm", 1e7),
        (0.001, "mm", 1000.0),
        (1.5, "µm", 1500.0),  # micro sign
        (1.5, "\N{GREEK SMALL LETTER MU}m", 1500.0),
        (1.5, "um", 1500.0),
        (1.5, "micron", 1500.0),
        (1.5, "micrometre", 1500.0),
        (0.7, "nm", 0.7),
        (0.7, "nanometres", 0.7),
        (7.0, "Å", 0.7),
        (7.0, "\N{ANGSTROM SIGN}", 0.7),
        (7.0, "A", 0.7),
        (7.0, "angstroms", 0.7),
        (700.0, "pm", 0.7),
        (0.7, " nm\0", 0.7),
    ],
)
def test_lengths_become_nanometers(value, unit, expected_nm):
    assert length_nm(value, unit) == pytest.approx(expected_nm, rel=1e-12)


@pytest.mark.parametrize("unit", ["", " ", "pixel", "px"])
def test_no_unit_is_no_length(unit):
    assert length_nm(2.0, unit) is None


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, 1e308, 5e-324])
def test_nonsense_is_no_length(value):
    assert length_nm(value, "m" if value > 1 else "pm") is None


@pytest.mark.parametrize(
    "unit", ["µ", "un", "eV", "mrad", "s", "Nm", "M", "NM", "inch"]
)
def test_odd_units_are_refused(unit):
    with pytest.raises(MicrographError, match="Give --pixel-size-nm"):
        length_nm(1.0, unit)


@pytest.mark.parametrize("unit", ["1/nm", "1 / nm", "nm^-1", "nm-1", "nm⁻¹", "1/Å"])
def test_reciprocal_units_are_told_as_diffraction(unit):
    with pytest.raises(MicrographError, match="diffraction"):
        length_nm(1.0, unit)


def test_rows_and_columns_may_have_different_spellings():
    assert pixel_size_nm(scale(0.002, 2000.0, "um", "pm")) == 2.0


def test_no_scale_is_no_size():
    assert pixel_size_nm(None) is None
    assert pixel_size_nm(scale(1.0, 1.0, "", "")) is None


@pytest.mark.parametrize(
    "strange",
    [
        scale(2.0, 2.2),
        scale(2.0, 2.0, "nm", "um"),
        scale(2.0, 2.0, "nm", ""),
        scale(2.0, 0.0),
    ],
)
def test_pixels_that_are_not_square_are_refused(strange):
    with pytest.raises(MicrographError, match="square"):
        pixel_size_nm(strange)


@settings(deadline=None)
@given(st.floats(1e-3, 1e4), st.floats(0.9995, 1.0005))
def test_nearly_square_pixels_keep_their_area(size_nm, ratio):
    found = pixel_size_nm(scale(size_nm * ratio, size_nm / ratio))

    assert found == pytest.approx(size_nm, rel=1e-6)


def test_rounding_of_float32_is_hidden():
    assert pixel_size_nm(scale(0.25540000200271606, 0.25540000200271606)) == 0.2554
