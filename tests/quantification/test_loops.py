import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.loops import measure_loops
from defectkeras.quantification.quantify import quantify
from defectkeras.quantification.runs import find_runs
from defectkeras.quantification.skeletons import MAX_PINHOLE_PX


def draw_ring(label_map, row, column, outer, inner, value, aspect=1.0):
    rows, columns = np.ogrid[: label_map.shape[0], : label_map.shape[1]]
    radius = np.hypot((rows - row) * aspect, columns - column)
    label_map[(radius <= outer / 2) & (radius > inner / 2)] = value


def draw():
    label_map = np.zeros((90, 220), np.int32)
    draw_ring(label_map, 40, 40, 40, 28, 4)  # face-on, with its inside
    draw_ring(label_map, 40, 110, 40, -1, 5, aspect=2.0)  # tilted, filled
    draw_ring(label_map, 40, 180, 40, -1, 9, aspect=6.0)  # edge-on
    return label_map


def test_inner_and_outer_contour():
    found = measure_loops(find_runs(draw()))
    assert found["inner_diameter_px"][0] == pytest.approx(28, abs=1.5)
    assert found["middle_diameter_px"][0] == pytest.approx(34, abs=1)
    assert np.isnan(found["middle_diameter_px"][1:]).all()


def test_edge_on_against_ellipse():
    found = measure_loops(find_runs(draw()), pixel_size_nm=0.5)
    assert found["loop_view"].tolist() == ["ellipse", "ellipse", "edge_on"]
    assert found["tilt_deg"][0] < 15
    assert found["tilt_deg"][1:] == pytest.approx([60, 90], abs=2)
    assert found["middle_diameter_nm"][0] == found["middle_diameter_px"][0] / 2


@pytest.mark.parametrize("hole_px", [8, 9])
def test_a_pinhole_is_no_inside(hole_px):
    label_map = np.ones((12, 20), np.int32)
    label_map[5, 5 : 5 + hole_px] = 0
    inner_px = measure_loops(find_runs(label_map))["inner_diameter_px"]
    assert np.isnan(inner_px[0]) == (hole_px <= MAX_PINHOLE_PX)


def test_a_hole_at_the_border_is_no_inside():
    label_map = np.zeros((30, 50), np.int32)
    draw_ring(label_map, 0, 25, 30, 20, 1)
    assert np.isnan(measure_loops(find_runs(label_map))["inner_diameter_px"]).all()
    assert len(measure_loops(find_runs(np.zeros((4, 6), np.int32)))["loop_view"]) == 0


def test_loops_have_these_columns_and_voids_do_not(scheme):
    class_map = np.where(draw() > 0, 4, 0).astype(np.int32)
    class_map[70:80, 10:20] = 3
    objects = quantify(class_map, scheme, Calibration(0.5)).objects
    views = objects.set_index("class_name")["loop_view"]
    assert views.loc["loop"].tolist() == ["ellipse", "ellipse", "edge_on"]
    assert views.isna()["void"]


def test_what_lies_in_a_loop_belongs_to_its_inside():
    alone, with_more = np.zeros((2, 60, 80), np.int32)
    draw_ring(alone, 30, 40, 40, 28, 1)
    with_more[:] = alone
    draw_ring(with_more, 30, 42, 20, 8, 2)  # a loop in a loop
    one, two = (measure_loops(find_runs(m)) for m in (alone, with_more))
    for name, values in one.items():
        assert values[0] == two[name][0]
    assert two["inner_diameter_px"][1] == pytest.approx(8, abs=1.5)
