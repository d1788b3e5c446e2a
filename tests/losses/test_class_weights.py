import numpy as np
import pytest

from defectkeras.losses import median_frequency_weights


def test_median_frequency_weights_by_hand():
    # f = 190/200, 6/100, 4/100 (images without a class do not count for it)
    weights = median_frequency_weights(np.array([[90, 6, 4], [100, 0, 0]]))
    assert weights == pytest.approx((0.06 / 0.95, 1.0, 1.5))


def test_median_frequency_weights_of_one_row_and_absent_class():
    assert median_frequency_weights(np.array([80, 0, 20])) == (
        pytest.approx(0.5 / 0.8),
        0.0,
        2.5,
    )
    with pytest.raises(ValueError, match="at least one pixel"):
        median_frequency_weights(np.zeros((2, 3), int))
