import math
from dataclasses import replace

import pytest

from defectkeras.synthesis.imaging import WAVELENGTH_NM, Imaging


def test_wavelength_is_that_of_200_kv_electrons():
    planck, mass, charge, light = (
        6.62607015e-34,
        9.1093837e-31,
        1.602176634e-19,
        2.998e8,
    )
    energy = charge * 200e3
    momentum = math.sqrt(2 * mass * energy * (1 + energy / (2 * mass * light**2)))
    assert pytest.approx(planck / momentum * 1e9, rel=1e-3) == WAVELENGTH_NM


def test_conditions_can_be_varied_one_by_one():
    assert replace(Imaging(), defocus_nm=500.0).defocus_nm == 500.0
    assert Imaging().row_gain == 0
