import numpy as np
import pytest

from defectkeras.reporting.agreement_figures import draw_bland_altman, draw_fields


def test_bland_altman_shows_each_field_and_has_units(compared):
    found = compared()
    (difference, *_) = [
        d for d in found.differences if d.name == "mean_equivalent_diameter_nm"
    ]
    (axes,) = draw_bland_altman(difference).axes

    (points,) = axes.collections
    first, second = difference.values
    np.testing.assert_allclose(points.get_offsets()[:, 1], second - first)
    assert axes.get_xlabel() == "Mean of both (nm)"
    assert axes.get_ylabel() == "ben − anna (nm)"
    heights = [line.get_ydata()[0] for line in axes.lines]
    assert difference.limits.bias in heights


def test_large_numbers_leave_their_power_of_ten_to_the_unit(compared):
    (difference, *_) = [
        d for d in compared().differences if d.name == "number_density_per_m3"
    ]
    (axes,) = draw_bland_altman(difference).axes
    label = axes.get_xlabel()
    assert label.startswith("Mean of both (10²")
    assert label.endswith(" m⁻³)")
    axes.figure.canvas.draw()
    ticks = [tick.get_text() for tick in axes.get_xticklabels()]
    numbers = [float(text.replace("−", "-")) for text in ticks if text]
    assert min(numbers) >= 0
    assert max(numbers) < 100
    assert axes.xaxis.get_offset_text().get_text() == ""


def test_one_field_has_no_limits_to_draw(compared):
    (difference, *_) = compared(num_fields=1).differences
    (axes,) = draw_bland_altman(difference).axes
    assert len(axes.lines) == 1


@pytest.mark.parametrize("label", ["ben", "a name that is much longer than the axis"])
def test_all_annotators_stand_side_by_side(compared, label):
    found = compared(("anna", label, "net@1"))
    figure = draw_fields(found.values, found.annotators, "void", "count")
    (axes,) = figure.axes

    ticks = [tick.get_text() for tick in axes.get_xticklabels()]
    assert len(ticks) == 3
    assert max(map(len, ticks)) <= 18
    assert axes.get_ylim()[0] == 0
