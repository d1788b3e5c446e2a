import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
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
