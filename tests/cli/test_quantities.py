"""Quantities as lines of text."""

import numpy as np

from defectkeras.cli.quantities import echo_quantities
from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.quantify import quantify

SCHEME = LabelScheme(
    (DefectClass(0, "matrix", "matrix"), DefectClass(1, "void", "region"))
)


def test_value_interval_unit_or_reason(capsys):
    class_map = np.zeros((60, 90), np.int32)
    class_map[10:20, 10:20] = 1
    class_map[30:42, 50:62] = 1
    calibration = Calibration(0.5, pixel_size_source="user")
    echo_quantities("field", quantify(class_map, SCHEME, calibration))
    out = capsys.readouterr().out
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["field"]
    assert "  Pixel size: 0.5 nm (user)" in out.splitlines()
    assert "  Foil thickness: not known: nothing per volume" in out.splitlines()
    assert lines[3] == ["void"]
    count = next(line for line in lines if line[0] == "Count")
    assert count[:3] == ["Count", "2", "[0.2"]
    assert "m⁻²" in out
    assert "missing: number density" in out.lower()
    assert "no foil thickness" in out
