import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defectkeras.reporting.numbers import (
    format_interval,
    format_value,
    pretty_unit,
    split_unit,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0.0, "0"),
        (48, "48"),
        (3421.0, "3421"),
        (12.3456, "12.3"),
        (123.456, "123"),
        (0.0123456, "0.0123"),
        (99999.0, "99999"),
        (1.2207e21, "1.22 × 10²¹"),
        (4.567e-5, "4.57 × 10⁻⁵"),
        (-2.5, "−2.50"),
        (9.999e14, "1.00 × 10¹⁵"),
        (99999.4, "99999"),
        (100000.0, "1.00 × 10⁵"),
    ],
)
def test_value(value, text):
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [
        (13.4567, 0.21, "13.46"),
        (13.4567, 2.1, "13.5"),
        (13.4567, 21.0, "13"),
        (13.4567, 0.0001, "13.46"),  # never more than four digits
        (0.42064, 0.05, "0.421"),
        (1.22069e21, 0.35e21, "1.22 × 10²¹"),
        (1.22069e21, 3.5e21, "1.2 × 10²¹"),
        (0.0, 1.3e-6, "0"),
        (12345.7, 1250.0, "12300"),
        (12345.7, 12.0, "12350"),  # of four digits
        (1234.5, 310.0, "1230"),
        (1234.5, 31.0, "1234"),
        (234.5, 310.0, "230"),
        (99996.0, 900.0, "1.000 × 10⁵"),
        (99960.0, 1000.0, "1.00 × 10⁵"),
        (99900.0, 1000.0, "99900"),
        (12345, 222.0, "12345"),  # counted
        (123456, 690.0, "123456"),
    ],
)
def test_an_interval_sets_the_digits(value, half_width, text):
    assert format_value(value, half_width) == text


def test_an_interval_shares_the_power_of_its_value():
    assert format_interval(1.2207e21, 0.906e21, 1.609e21) == "(0.91 to 1.61) × 10²¹"
    assert format_interval(13.457, 12.91, 14.02) == "12.91 to 14.02"
    assert format_interval(12345.7, 11012.3, 13486.1) == "11000 to 13500"
    assert format_interval(0, 0, 3.6889) == "0.0 to 3.7"
    assert format_interval(0, 0, 4690652788942.9) == "(0.0 to 4.7) × 10¹²"
    assert format_interval(0, 0, 0) == "0 to 0"
    assert format_interval(12345, -100, 30000) == "0 to 30000"
    assert format_interval(0.5, -0.004, 1) == "0.00 to 1.00"
    assert format_interval(99960.0, 98960, 100960) == "(0.99 to 1.01) × 10⁵"
    far = format_interval(3.1, 1.84e-8, 519708648.6)
    assert far == "1.8 × 10⁻⁸ to 5.2 × 10⁸"


def test_an_interval_far_above_its_value_has_a_power_of_its_own():
    assert format_interval(7.9e-4, 0, 0.29199) == "0.00 to 0.29"
    assert format_interval(3.2e-8, 0, 4.56e-5) == "(0.0 to 4.6) × 10⁻⁵"
    assert format_interval(3.8e-5, 1e-6, 2.14e-4) == "(0.1 to 21.4) × 10⁻⁵"


def test_an_interval_ends_where_its_width_does():
    assert format_interval(900.0, 0, 13410) == "0 to 13400"
    assert format_interval(3.1, -18.27, 24.47) == "−18.3 to 24.5"
    assert format_interval(0.015, 0, 145.23) == "0 to 145"


def test_the_interval_of_a_count_has_no_power_of_ten():
    assert format_interval(123456, 122768, 124147) == "122800 to 124100"
    assert format_interval(6, 2.2019, 13.0595) == "2.2 to 13.1"
    assert format_interval(0, 0, 3.6889) == "0.0 to 3.7"


SUPERSCRIPT = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@settings(deadline=None)
@given(
    value=st.floats(1e-12, 1e30),
    share=st.one_of(st.none(), st.floats(1e-3, 1.0)),
)
def test_what_is_read_is_the_value_to_its_digits(value, share):
    half_width = None if share is None else share * value
    text = format_value(value, half_width)
    number, _, power = text.partition(" × 10")
    read = float(number) * 10.0 ** int(power.translate(SUPERSCRIPT) or 0)
    assert read == pytest.approx(value, rel=0.06)
    assert len(number) <= 8


@pytest.mark.parametrize(
    ("name", "label", "unit"),
    [
        ("number_density_per_m3", "Number density", "m⁻³"),
        ("areal_density_per_px2", "Areal density", "px⁻²"),
        ("mean_equivalent_diameter_nm", "Mean equivalent diameter", "nm"),
        ("area_nm2", "Area", "nm²"),
        ("area_fraction_percent", "Area fraction", "%"),
        ("orientation_deg", "Orientation", "°"),
        ("count", "Count", ""),
        ("aspect_ratio", "Aspect ratio", ""),
        (
            "dislocation_density_intercepts_per_m2",
            "Dislocation density, by intercepts",
            "m⁻²",
        ),
    ],
)
def test_a_name_tells_label_and_unit(name, label, unit):
    assert split_unit(name) == (label, unit)


@pytest.mark.parametrize(
    ("unit", "text"),
    [("m^-3", "m⁻³"), ("m-2", "m⁻²"), ("nm2", "nm²"), ("percent", "%"), ("px", "px")],
)
def test_units_have_raised_exponents(unit, text):
    assert pretty_unit(unit) == text
