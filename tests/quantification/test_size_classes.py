import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.quantify import quantify


def test_unfolded_classes_add_up_to_the_number_density(scheme, sphere_foil):
    foil = sphere_foil(
        np.random.default_rng(3), shape=(600, 800), thickness=60, mean=14,
        log_sd=0.25, cell=34,
    )  # fmt: skip
    result = quantify(foil.mask.astype(np.int32) * 3, scheme, Calibration(0.8, 48.0))
    table = result.distributions
    assert set(table["quantity"]) == {"equivalent_diameter_nm"}
    total = table["number_density_per_m3"].sum()
    density = result.find("void", "number_density_per_m3").value
    assert total == pytest.approx(density, rel=0.05)


def test_without_a_thickness_there_are_counts_only(scheme, shared_class_map):
    table = quantify(shared_class_map, scheme, Calibration(0.8)).distributions
    assert table["number_density_per_m3"].isna().all()
    assert table["count"].sum() > 0


def test_sizes_of_loops_are_largest_feret_diameters(disc):
    scheme = LabelScheme(
        (DefectClass(0, "matrix", "matrix"), DefectClass(1, "loop", "region"))
    )
    class_map = np.zeros((300, 400), np.int32)
    for row in range(30, 290, 50):
        for column in range(30, 390, 50):  # rings of 30 px, 3 px wide
            disc(class_map, row, column, 30)
            disc(class_map, row, column, 24, value=0)
    table = quantify(class_map, scheme, Calibration(0.5, 60.0)).distributions
    assert set(table["quantity"]) == {"max_feret_nm"}
    assert table["low"].iloc[0] == pytest.approx(15, abs=1)
