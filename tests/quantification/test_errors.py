import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.errors import compare_quantities
from defectkeras.quantification.quantify import quantify


def test_quantities_side_by_side(scheme, shared_class_map):
    calibration = Calibration(1.0)
    predicted_map = np.where(shared_class_map == 3, 0, shared_class_map)
    true, predicted = (
        quantify(m, scheme, calibration) for m in (shared_class_map, predicted_map)
    )
    table = compare_quantities(true, predicted).set_index(["class_name", "name"])
    assert table.loc[("void", "count"), "relative_error"] == -1
    assert table.loc[("precipitate", "count"), "difference"] == 0
    assert np.isnan(table.loc[("void", "number_density_per_m3"), "true"])
    assert len(table) == len(true.quantities)


def test_every_missing_error_has_its_reason(scheme, shared_class_map):
    calibration = Calibration(1.0)
    without_voids = np.where(shared_class_map == 3, 0, shared_class_map)
    full, less = (
        quantify(m, scheme, calibration) for m in (shared_class_map, without_voids)
    )
    for true, predicted in ((full, less), (less, full)):
        table = compare_quantities(true, predicted)
        has_error = table["relative_error"].notna()
        assert ((table["reason"] == "") == has_error).all()
    table = compare_quantities(full, less).set_index(["class_name", "name"])
    assert table.loc[("void", "swelling_percent"), "reason"].startswith(
        "true: no foil thickness"
    )
    mean = ("void", "mean_equivalent_diameter_nm")
    assert table.loc[mean, "reason"] == "predicted: no object of this class"
    back = compare_quantities(less, full).set_index(["class_name", "name"])
    assert back.loc[("void", "count"), "reason"].startswith("the true value is 0")
    assert back.loc[("void", "count"), "difference"] > 0


def test_twice_the_pixel_size_is_four_times_the_area(scheme, shared_class_map):
    true = quantify(shared_class_map, scheme, Calibration(1.0))
    large = quantify(shared_class_map, scheme, Calibration(2.0))
    table = compare_quantities(true, large).set_index(["class_name", "name"])
    density = table.loc[("void", "areal_density_per_m2"), "relative_error"]
    assert density == pytest.approx(-0.75)
