import numpy as np
import pytest

from defectkeras.quantification.unfolding import unfold_sizes


@pytest.mark.parametrize("thickness_nm", [0.0, 20.0, 100.0])
def test_spheres_of_two_sizes_come_back(thickness_nm):
    rng = np.random.default_rng(1)
    edges = np.arange(0.0, 34.0, 4.0)
    true = {14.0: 3e-5, 26.0: 2e-5}
    area_nm2 = 4e7
    seen = []
    for diameter, per_nm3 in true.items():
        depth = thickness_nm + diameter
        count = round(per_nm3 * area_nm2 * depth)
        beyond = np.maximum(rng.uniform(0, depth, count) - thickness_nm, 0) / 2
        seen.append(2 * np.sqrt(diameter**2 / 4 - beyond**2))
    counts, _ = np.histogram(np.concatenate(seen), edges)
    found = unfold_sizes(counts / area_nm2, edges, thickness_nm)
    assert found[3] == pytest.approx(3e-5, rel=0.1)
    assert found[6] == pytest.approx(2e-5, rel=0.05)
    assert np.delete(found, [3, 6]) == pytest.approx(0, abs=4e-6)


def test_a_thick_foil_needs_no_unfolding():
    found = unfold_sizes(np.array([1.0, 2.0]), np.array([0.0, 2.0, 4.0]), 1e6)
    assert found * 1e6 == pytest.approx([1, 2], rel=1e-4)
