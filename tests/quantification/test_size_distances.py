"""Distances of size distributions against SciPy and drawn discs."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.quantify import quantify
from defectkeras.quantification.size_distances import (
    Sizes,
    compare_sizes,
    find_sizes,
    pool_sizes,
)


def nm(*diameters, weights=None):
    values = np.array(diameters, dtype=float)
    return Sizes("nm", values, np.ones(len(values)) if weights is None else weights)


@pytest.mark.parametrize("seed", range(4))
def test_without_weights_they_are_those_of_scipy(seed):
    rng = np.random.default_rng(seed)
    one, other = rng.lognormal(2, 0.4, 37), rng.lognormal(2.2, 0.3, 21).round(1)
    distance = compare_sizes(nm(*one), nm(*other))
    ks = ks_2samp(one, other).statistic
    assert distance.kolmogorov_smirnov == pytest.approx(ks)
    # Another way to the area between the curves: the quantile functions.
    steps = (np.arange(37 * 21) + 0.5) / (37 * 21)
    inverse = [np.sort(v)[(steps * len(v)).astype(int)] for v in (one, other)]
    area = np.abs(inverse[0] - inverse[1]).mean()
    assert distance.wasserstein == pytest.approx(area)


def test_a_weight_is_a_repetition():
    true = nm(4, 7, 9)
    weighted = compare_sizes(true, nm(5, 8, weights=np.array([3.0, 1.0])))
    repeated = compare_sizes(true, nm(5, 5, 5, 8))
    assert weighted.kolmogorov_smirnov == pytest.approx(repeated.kolmogorov_smirnov)
    assert weighted.wasserstein == pytest.approx(repeated.wasserstein)


def test_a_shift_is_the_wasserstein_distance():
    sizes = np.array([5.0, 7, 12, 20])
    assert compare_sizes(nm(*sizes), nm(*sizes + 1.5)).wasserstein == pytest.approx(1.5)
    same = compare_sizes(nm(*sizes), nm(*sizes))
    assert (same.kolmogorov_smirnov, same.wasserstein) == (0, 0)
    apart = compare_sizes(nm(1, 2), nm(3, 4, 5))
    assert apart.kolmogorov_smirnov == 1


def test_no_object_has_a_reason():
    for true, predicted, side in (
        (nm(), nm(1), "no true object"),
        (nm(1), nm(), "no predicted object"),
        (nm(), nm(), "no true and no predicted object"),
    ):
        distance = compare_sizes(true, predicted)
        assert distance.kolmogorov_smirnov is distance.wasserstein is None
        assert distance.reason == f"{side} that counts"


SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "dislocation", "line"),
        DefectClass(2, "void", "region"),
        DefectClass(3, "loop", "region"),
    )
)


def drawn(calibration):
    class_map = np.zeros((120, 200), np.int32)
    class_map[60, :] = 1
    class_map[20:30, 20:30] = 2  # 100 px
    class_map[0:9, 100:110] = 2  # on the border: dropped
    class_map[90:93, 50:80] = 3
    return quantify(class_map, SCHEME, calibration)


def test_sizes_are_those_of_the_mean_size():
    found = find_sizes(drawn(Calibration(2.0)))
    assert set(found) == {"void", "loop"}
    assert found["void"].unit == "nm"
    assert found["void"].diameters == pytest.approx([2 * np.sqrt(400 / np.pi)])
    assert found["void"].weights[0] > 1
    assert found["loop"].diameters[0] > 59  # the largest Feret diameter
    assert find_sizes(drawn(Calibration()))["void"].unit == "px"


def test_pooling_joins_and_keeps_the_unit():
    pooled = pool_sizes([nm(1, 2), nm(3, weights=np.array([2.0]))])
    assert pooled.diameters.tolist() == [1, 2, 3]
    assert pooled.weights.tolist() == [1, 1, 2]
    px = Sizes("px", np.ones(1), np.ones(1))
    for slip in (lambda: pool_sizes([nm(1), px]), lambda: compare_sizes(nm(1), px)):
        with pytest.raises(ValueError, match="unit"):
            slip()
