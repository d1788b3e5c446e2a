import json

import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.quantify import quantify
from defectkeras.reporting.targets import object_targets

EVIL = "</script><script>alert(1)</script>"
SCHEME = LabelScheme(
    (DefectClass(0, "matrix", "matrix"), DefectClass(1, EVIL, "region"))
)


def test_each_object_has_its_ellipse_and_its_row():
    class_map = np.zeros((50, 100), np.int32)
    class_map[10:20, 30:50] = 1
    found = json.loads(object_targets(quantify(class_map, SCHEME, Calibration(0.5))))

    assert found["ellipses"] == [
        [pytest.approx(v, abs=1e-3) for v in (0.4, 0.15, 0.1154, 0.0577, 0)]
    ]
    (row,) = found["rows"]
    cells = dict(zip(found["heads"], row, strict=True))
    assert cells["Class"] == EVIL
    assert float(cells["Area (nm²)"]) == 50


def test_a_field_without_objects_has_none(empty):
    assert json.loads(object_targets(empty))["ellipses"] == []
