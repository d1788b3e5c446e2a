import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.reporting.quantity_table import quantity_table


def test_a_row_for_each_quantity_with_the_parts_of_its_error(measured):
    known = Calibration(0.5, 90.0, "user", "user", foil_thickness_sigma_nm=9.0)
    fields = {"a": measured(known), "b": measured(Calibration())}
    table = quantity_table(fields)
    assert len(table) == sum(len(field.quantities) for field in fields.values())
    assert list(table.columns[:3]) == ["micrograph", "class_name", "name"]
    density = table.query("micrograph == 'a' and name == 'number_density_per_m3'")
    share = density["sigma_thickness"] / density["value"]
    assert share.to_numpy() == pytest.approx(0.1, rel=0.1)
    missing = table.query("micrograph == 'b' and name == 'number_density_per_m3'")
    assert missing["value"].isna().all()
    assert missing["reason"].str.contains("--pixel-size-nm").all()
