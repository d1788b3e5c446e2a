import itertools

import cv2
import numpy as np
import pytest

from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.palette import ORDER, class_colors, hex_color


def scheme_of(*names):
    defects = (DefectClass(i, n, "region") for i, n in enumerate(names, start=1))
    return LabelScheme((DefectClass(0, "matrix", "matrix"), *defects))


@pytest.mark.parametrize(
    "names",
    [
        ("void",),
        ("dislocation", "precipitate", "void", "loop"),
        ("oxide", "crack"),
        ("crack", "void", "oxide", "loop", "grain", "carbide", "dislocation"),
    ],
)
def test_classes_of_a_scheme_differ_in_color(names):
    colors = class_colors(scheme_of(*names))
    assert list(colors) == list(range(1, len(names) + 1))
    assert len(set(colors.values())) == len(names)


def test_a_usual_class_keeps_its_color_in_every_scheme():
    alone = class_colors(scheme_of("void"))[1]
    among_others = class_colors(scheme_of("crack", "precipitate", "void"))[3]
    assert alone == among_others


def test_more_classes_than_colors_repeat():
    colors = class_colors(scheme_of(*(f"phase {i}" for i in range(9))))
    assert len(colors) == 9
    assert set(colors.values()) == set(ORDER)


# Linear RGB as people without green or without red cones see it, by
# Viénot, Brettel and Mollon 1999, doi:10.1002/(SICI)1520-6378(199908)24:4<243.
DEUTERANOPE = [[0.2927, 0.7073, 0], [0.2927, 0.7073, 0], [-0.0223, 0.0223, 1]]
PROTANOPE = [[0.1124, 0.8876, 0], [0.1124, 0.8876, 0], [0.0040, -0.0040, 1]]


@pytest.mark.parametrize("cones", [np.eye(3), DEUTERANOPE, PROTANOPE])
def test_the_usual_classes_can_be_told_apart_by_everyone(cones):
    """Euclidean distance in CIE Lab; 2.3 is just noticeable."""
    names = ("dislocation", "precipitate", "void", "loop")
    colors = np.array(list(class_colors(scheme_of(*names)).values()))
    linear = (colors / 255) ** 2.2
    seen = (linear @ np.asarray(cones).T).clip(0, 1) ** (1 / 2.2)
    lab = cv2.cvtColor(seen[np.newaxis].astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    distances = [np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2)]
    assert min(distances) > 15


def test_hex():
    assert hex_color((0, 158, 115)) == "#009e73"
