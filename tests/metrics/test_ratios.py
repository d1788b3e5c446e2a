import numpy as np

from defectkeras.metrics.ratios import divide, mean_of_numbers, number_or_none


def test_what_has_no_denominator_is_no_number():
    np.testing.assert_array_equal(divide([1, 2, 0], [2, 0, 0]), [0.5, np.nan, np.nan])
    assert mean_of_numbers(np.array([1.0, np.nan, 2.0])) == 1.5
    assert np.isnan(mean_of_numbers(np.array([np.nan])))
    assert number_or_none(np.float64(0.5)) == 0.5
    assert number_or_none(np.nan) is None
