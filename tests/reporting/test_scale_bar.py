import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defectkeras.core.calibration import Calibration
from defectkeras.reporting.scale_bar import choose_scale_bar

UNITS_NM = {"nm": 1.0, "µm": 1e3, "mm": 1e6}


@pytest.mark.parametrize(
    ("width_px", "pixel_size_nm", "label"),
    [
        (2048, 0.2554, "100 nm"),
        (1024, 1.5625, "200 nm"),
        (2048, 0.01, "5 nm"),
        (400, 0.004, "0.2 nm"),
        (1000, 4.0, "1 µm"),
        (1280, 200.0, "50 µm"),
        (2000, 20000.0, "10 mm"),
        (800, 1.0, "200 nm"),  # exactly a quarter
    ],
)
def test_label(width_px, pixel_size_nm, label):
    bar = choose_scale_bar(width_px, Calibration(pixel_size_nm=pixel_size_nm))
    assert bar.label == label


@settings(deadline=None)
@given(
    width_px=st.integers(1, 20000),
    pixel_size_nm=st.floats(1e-3, 1e5, allow_nan=False),
)
def test_the_bar_is_as_long_as_its_label_says(width_px, pixel_size_nm):
    bar = choose_scale_bar(width_px, Calibration(pixel_size_nm=pixel_size_nm))
    number, unit = bar.label.split()
    length_nm = float(number) * UNITS_NM[unit]
    assert bar.length_px * pixel_size_nm == pytest.approx(length_nm)
    mantissa = float(f"{float(number):.6e}".split("e")[0])
    assert mantissa in (1, 2, 5)
    assert 0.1 * width_px * (1 - 1e-9) <= bar.length_px <= 0.25 * width_px * (1 + 1e-9)


@settings(deadline=None)
@given(width_px=st.integers(1, 20000))
def test_without_a_pixel_size_the_bar_is_in_px(width_px):
    bar = choose_scale_bar(width_px, Calibration())
    assert bar.label == f"{bar.length_px:.0f} px"
    assert bar.length_px >= 1
