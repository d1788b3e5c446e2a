import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from defectkeras.quantification.results import Quantity
from defectkeras.quantification.size_fits import SizeFit
from defectkeras.reporting.figures import size_histogram
from defectkeras.reporting.vector import draw_svg, svg_element
from defectkeras.reporting.views import quantity_row


def histogram(figure_id="m1c1", **changes):
    arguments = {
        "distribution": pd.DataFrame(
            {"low": [2.0, 4.0, 6.0], "high": [4.0, 6.0, 8.0], "count": [3, 9, 5]}
        ),
        "class_name": "void",
        "unit": "nm",
        "color": (230, 159, 0),
        "mean": Quantity("void", "mean_diameter_nm", 5.2468, "nm", 4.6, 5.9),
    }
    figure = size_histogram(**(arguments | changes))
    return svg_element(draw_svg(figure, "Histogram of 17 objects"), figure_id)


def test_it_is_well_formed_and_says_what_it_shows():
    svg = histogram()
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib["role"] == "img"
    assert "17 objects" in root.attrib["aria-label"]
    words = " ".join(t for t in root.itertext() if t.strip())
    assert "void, 17 whole objects, mean 5.25 nm (dashed)" in words
    assert "Equivalent diameter (nm)" in words


def test_the_mean_has_the_digits_that_a_table_gives_it():
    mean = Quantity("void", "mean_diameter_nm", 45.5678, "nm", 24.2, 66.9)
    row = quantity_row(mean)
    assert row is not None
    assert f"mean {row.value} nm (dashed)" in histogram(mean=mean)
    assert row.value == "46"


def test_bars_are_as_high_as_their_counts():
    heights = []
    for path in re.findall(r'd="([^"]+)"[^>]*fill: #e69f00', histogram()):
        points = np.array(re.findall(r"([\d.]+) ([\d.]+)", path), dtype=float)
        heights.append(np.ptp(points[:, 1]))
    np.testing.assert_allclose(np.array(heights) / heights[0], [1, 3, 5 / 3], rtol=1e-3)


@pytest.mark.parametrize(("smallest", "counted"), [(0.0, 17), (4.0, 14), (5.0, 9.5)])
def test_a_fit_expects_what_it_was_made_of(smallest, counted):
    fit = SizeFit("weibull", 2.0, 5.0, 4.4, 1.0, 0.1, 0.5, 14, smallest)
    distribution = pd.DataFrame(
        {"low": [2.0, 4.0, 6.0], "high": [4.0, 6.0, 8.0], "count": [3, 9, 5]}
    )
    figure = size_histogram(
        distribution, class_name="void", unit="nm", color=(0, 0, 0), fits=[fit]
    )
    (curve,) = (c for c in figure.axes[0].lines if "AIC" in str(c.get_label()))
    at, expected = np.array(curve.get_data())
    part = fit.part_between(np.array([at[90] - 1, at[90] + 1]))[0]
    assert expected[90] == pytest.approx(counted * part)


def test_names_of_two_figures_never_meet():
    names = [set(re.findall(r'id="([^"]+)"', histogram(i))) for i in ("m1c1", "m2c1")]
    assert names[0]
    assert not names[0] & names[1]
    used = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', histogram())
    assert {a or b for a, b in used} <= names[0]


def test_it_brings_no_style_for_the_page_and_no_date():
    svg = histogram()
    assert "<style" not in svg
    assert "<?xml" not in svg
    assert "dc:date" not in svg
    assert svg == histogram()


def test_a_class_name_cannot_break_out():
    svg = histogram(class_name="<script>alert(1)</script> $x_1$ & co")
    ET.fromstring(svg)
    assert "<script" not in svg
