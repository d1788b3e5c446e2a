import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defectkeras.quantification.bland_altman import bland_altman

# Bland and Altman 1986, table 1: peak flow by a Wright and by a mini meter, l/min.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178,
          423, 427]  # fmt: skip
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259,
        350, 451]  # fmt: skip


def test_published_limits_of_agreement():
    found = bland_altman(np.array(MINI, float), np.array(WRIGHT, float))

    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.standard_deviation == pytest.approx(38.8, abs=0.05)
    assert found.lower == pytest.approx(-78.1, abs=0.2)  # they take 2 s: -79.7, 75.5
    assert found.upper == pytest.approx(73.9, abs=0.2)
    assert found.bias_interval.low == pytest.approx(-22.0, abs=0.1)
    assert found.bias_interval.high == pytest.approx(17.8, abs=0.1)


@pytest.mark.parametrize("count", [4, 12])
def test_intervals_of_the_limits_cover(count):
    rng = np.random.default_rng(3)
    differences = rng.normal(2.0, 1.5, (4000, count))
    hits = 0
    for row in differences:
        found = bland_altman(np.zeros(count), row)
        hits += (
            found.upper_interval.low <= 2.0 + 1.96 * 1.5 <= found.upper_interval.high
        )
    assert hits / 4000 == pytest.approx(0.95, abs=0.012)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 2), min_size=2, max_size=20))
def test_swapping_turns_the_signs(pairs):
    first, second = np.array(pairs).T
    one, other = bland_altman(first, second), bland_altman(second, first)

    assert one.bias == pytest.approx(-other.bias, abs=1e-9)
    assert one.upper == pytest.approx(-other.lower, abs=1e-9)
    if one.upper_interval is None:
        assert other.lower_interval is None
        return
    assert one.upper_interval.high == pytest.approx(
        -other.lower_interval.low, rel=1e-6, abs=1e-6
    )


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_differences_that_do_not_vary_have_no_interval(shift):
    first = np.array([0.3, 0.7, 1.1])
    found = bland_altman(first, first + shift)
    assert found.bias == pytest.approx(shift)
    assert found.bias_interval is found.lower_interval is found.upper_interval is None


def test_one_field_has_no_limits_and_numbers_must_fit():
    assert bland_altman(np.ones(1), np.ones(1)) is None
    with pytest.raises(ValueError, match="Received: 2"):
        bland_altman(np.ones(3), np.ones(2))
