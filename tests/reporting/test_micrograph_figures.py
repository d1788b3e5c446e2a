import itertools

import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import scheme_of_names
from defectkeras.quantification.places import measure_places
from defectkeras.quantification.quantify import quantify
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.reporting.micrograph_figures import micrograph_figures
from defectkeras.reporting.vector import draw_svg


@pytest.mark.parametrize(("size_nm", "unit"), [(0.5, "nm"), (None, "px")])
def test_axes_have_units(measured, size_nm, unit):
    found = list(micrograph_figures(measured(Calibration(size_nm))))

    assert [f.name for f in found] == ["sizes_2", "positions"]
    sizes, positions = (f.figure.axes[0] for f in found)
    assert sizes.get_xlabel() == f"Equivalent diameter ({unit})"
    assert positions.get_xlabel() == f"x ({unit})"
    assert positions.get_xlim() == (0, 400 * (size_nm or 1))
    assert positions.get_ylim() == (240 * (size_nm or 1), 0)  # rows grow downwards


def test_sizes_of_loops_are_largest_feret_diameters(measured):
    settings = QuantifySettings(loop_classes=("void",))
    found = measured(settings=settings)
    sizes = next(micrograph_figures(found)).figure.axes[0]
    assert sizes.get_xlabel() == "Largest Feret diameter (nm)"
    mean = found.find("void", "mean_max_feret_nm").value
    dashed = next(line for line in sizes.lines if len(set(line.get_xdata())) == 1)
    assert dashed.get_xdata()[0] == mean


def test_discs_stand_where_the_objects_are(measured):
    found = measured()
    *_, positions = micrograph_figures(found)
    (discs,) = positions.figure.axes[0].collections

    expected = 0.5 * (found.objects["centroid_column_px"].to_numpy() + 0.5)
    np.testing.assert_allclose(discs.get_offsets()[:, 0], expected)


def test_a_field_without_objects_has_no_figure(empty):
    assert list(micrograph_figures(empty)) == []


def test_how_defects_lie_is_drawn_when_it_is_known(
    measured, drawn_class_map, monkeypatch
):
    monkeypatch.setattr("defectkeras.quantification.places.FEWEST_SEGMENTS", 1)
    found = measured()
    places = measure_places(found, drawn_class_map, simulations=9)
    names = [f.name for f in micrograph_figures(found, places)]
    assert names[2:] == ["rose_1", "neighbors_2", "ripley_2"]


def test_fits_expect_as_many_objects_as_there_are(measured):
    sizes = next(micrograph_figures(measured(num_voids=24))).figure.axes[0]
    curves = [line for line in sizes.lines if "AIC" in str(line.get_label())]
    assert len(curves) == 2
    width = sizes.patches[0].get_width()
    for curve in curves:
        x, y = curve.get_data()
        assert np.trapezoid(y, x) / width == pytest.approx(24, rel=0.15)


@pytest.mark.parametrize("shape", [(64, 20000), (20000, 64), (40, 1200), (64, 64)])
def test_a_map_of_any_shape_has_room_for_its_ticks(shape):
    class_map = np.zeros(shape, np.int32)
    height, width = shape
    class_map[2:8, 3:9] = class_map[height - 9 :, width - 9 :] = 1
    found = quantify(class_map, scheme_of_names(["void"]), Calibration(0.5))
    (positions,) = (f for f in micrograph_figures(found) if f.name == "positions")
    figure = positions.figure
    assert max(figure.get_size_inches()) < 8
    draw_svg(figure, "")
    (axes,) = figure.axes
    for axis, side in ((axes.xaxis, 0), (axes.yaxis, 1)):
        labels = [t.label1.get_window_extent() for t in axis.get_major_ticks()]
        assert labels
        boxes = sorted((box.min[side], box.max[side]) for box in labels)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(boxes))
