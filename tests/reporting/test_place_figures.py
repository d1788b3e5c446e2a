import numpy as np
import pandas as pd
import pytest

from defectkeras.quantification.orientations import orientation_rose
from defectkeras.reporting.place_figures import draw_neighbors, draw_ripley, draw_rose

BLUE = (0, 114, 178)
STATISTICS = pd.DataFrame(
    [
        ("neighbor_distance_ratio", 1.25, 0.05),
        ("ripley_l", -3.0, 0.0004),
        ("mean_orientation_deg", 30.2, np.nan),
        ("alignment", 0.8, 0.01),
    ],
    columns=["statistic", "value", "p_value"],
)
HOSTILE = {"class_name": "<b>$x$", "color": BLUE}


def texts(figure):
    (axes,) = figure.axes
    title = axes.get_title("left") or figure.get_suptitle()
    return title, axes.get_xlabel(), axes.get_ylabel()


def test_distances_are_those_to_the_nearest():
    centers = np.array([[r, c] for r in (10.0, 30.0) for c in range(0, 60, 15)])
    figure = draw_neighbors(centers, STATISTICS, unit="nm", **HOSTILE)
    title, x, y = texts(figure)
    assert title.startswith("<b>$x$: mean 15 nm (dashed), 1.25 × random")
    assert (x, y) == ("Distance to the nearest neighbor (nm)", "Objects")
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 8


def test_distances_that_differ_by_rounding_alone_are_drawn():
    rows = np.arange(12) * 1000 / 3  # the distances are 333.33 but for rounding
    centers = np.array([[r, c] for r in rows for c in rows])
    figure = draw_neighbors(centers, STATISTICS, unit="nm", **HOSTILE)
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 144


def test_ripley_is_drawn_less_r_in_the_unit():
    r = np.array([0.0, 10.0, 20.0])
    curves = pd.DataFrame(
        {"r_px": r, "l": r + 3, "l_mean": r, "l_low": r - 2, "l_high": r + 2}
    )
    figure = draw_ripley(curves, STATISTICS, 0.5, unit="nm", **HOSTILE)
    _, found = figure.axes[0].lines
    np.testing.assert_allclose(found.get_xdata(), r / 2)
    np.testing.assert_allclose(found.get_ydata(), 1.5)
    (envelope,) = figure.axes[0].collections
    assert np.abs(envelope.get_paths()[0].vertices[:, 1]).max() == pytest.approx(1.0)
    title, x, y = texts(figure)
    assert title.endswith("(p < 0.001)")
    assert (x, y) == ("Distance r (nm)", "L(r) − r (nm)")


def test_sectors_of_the_rose_have_the_area_of_their_part():
    rose = orientation_rose(np.array([5.0, 5.0, 5.0, 95.0]), np.ones(4), num_bins=9)
    figure = draw_rose(rose, STATISTICS, **HOSTILE)
    bars = figure.axes[0].patches
    areas = [bar.get_height() ** 2 for bar in bars]
    np.testing.assert_allclose(areas[:9], rose["fraction"])
    np.testing.assert_allclose(areas[9:], areas[:9])  # the other way
    assert "mean 30°, alignment 0.80 (p = 0.01)" in texts(figure)[0]
