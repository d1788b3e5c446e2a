import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.hidden_lines import HiddenRows, join_behind_regions
from defectkeras.quantification.objects import label_objects
from defectkeras.quantification.quantify import quantify
from defectkeras.quantification.segments import measure_segments
from defectkeras.quantification.skeletons import trace_lines

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "dislocation", "line"),
        DefectClass(2, "void", "region"),
    )
)


def draw(rows=(40, 100), void_columns=(60, 140)):
    """Lines along the columns; the first is cut by voids."""
    class_map = np.zeros((140, 200), np.int32)
    for row in rows:
        class_map[row - 2 : row + 3] = 1
    y, x = np.ogrid[:140, :200]
    for column in void_columns:
        class_map[(y - rows[0]) ** 2 + (x - column) ** 2 <= 12**2] = 2
    return class_map


def groups(class_map):
    mask = class_map == 1
    segments, lines = measure_segments(
        trace_lines(mask), label_objects(mask), Calibration()
    )
    hidden = HiddenRows(class_map == 2, 0, (0, len(mask)))
    return join_behind_regions(segments, len(lines), [hidden], 5.0)


def test_pieces_of_a_line_behind_voids_are_one():
    assert sorted(np.bincount(groups(draw()))) == [1, 3]


def test_lines_without_voids_stay_apart():
    assert len(set(groups(draw(void_columns=())))) == 2
    assert len(groups(np.zeros((20, 30), np.int32))) == 0


def test_a_void_does_not_narrow_the_interval():
    """Two lines are two, whatever hides a part of one."""
    widths = []
    for columns in ((), (60, 140)):
        found = quantify(draw(void_columns=columns), SCHEME, Calibration(1.0, 50.0))
        density = found.find("dislocation", "dislocation_density_per_m2")
        widths.append((density.high - density.low) / density.value)
    assert widths[1] == pytest.approx(widths[0], rel=0.1)
