import numpy as np
import pytest
from scipy import stats

from defectkeras.quantification.size_fits import fit_sizes

SIZES = np.array([5.0, 7, 8, 10, 12, 15, 20])


def by_name(fits):
    return {fit.name: fit for fit in fits}


def test_worked_values():
    fits = by_name(fit_sizes(SIZES, resamples=19))
    assert np.log(fits["lognormal"].scale) == pytest.approx(2.303723, abs=1e-6)
    assert fits["lognormal"].shape == pytest.approx(0.436798, abs=1e-6)
    assert fits["lognormal"].mean == pytest.approx(11.0135, abs=1e-4)
    assert fits["weibull"].shape == pytest.approx(2.48328, abs=1e-4)
    assert fits["weibull"].scale == pytest.approx(12.4520, abs=1e-3)


@pytest.mark.parametrize("name", ["lognormal", "weibull"])
def test_aic_and_distance_are_those_of_scipy(name):
    fit = by_name(fit_sizes(SIZES, resamples=1))[name]
    law = {"lognormal": stats.lognorm, "weibull": stats.weibull_min}[name]
    frozen = law(fit.shape, scale=fit.scale)
    assert fit.aic == pytest.approx(4 - 2 * frozen.logpdf(SIZES).sum())
    assert fit.distance == pytest.approx(stats.kstest(SIZES, frozen.cdf).statistic)


@pytest.mark.parametrize("unlike", [0.01, 8.9, 9000.0])
def test_a_weibull_fit_solves_its_equations(unlike):
    sizes = np.append(np.random.default_rng(2).normal(9, 0.1, 300), unlike)
    fit = by_name(fit_sizes(sizes, resamples=0))["weibull"]
    powers = (sizes / sizes.max()) ** fit.shape
    tilted = np.average(np.log(sizes), weights=powers)
    assert tilted - np.log(sizes).mean() == pytest.approx(1 / fit.shape, rel=1e-9)
    mean_power = np.mean((sizes / fit.scale) ** fit.shape)
    assert mean_power == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("name", ["lognormal", "weibull"])
def test_truncation_is_made_up_for(name):
    rng = np.random.default_rng(8)
    true = stats.lognorm(0.4, scale=10) if name == "lognormal" else stats.weibull_min(
        2.2, scale=12
    )  # fmt: skip
    sizes = true.rvs(6000, random_state=rng)
    seen = sizes[sizes >= 8]
    fit = by_name(fit_sizes(seen, smallest=8.0, resamples=1))[name]
    assert fit.mean == pytest.approx(true.mean(), rel=0.05)
    assert by_name(fit_sizes(seen, resamples=1))[name].mean > 1.1 * true.mean()


def test_the_better_one_comes_first_and_the_other_does_not_fit():
    sizes = stats.lognorm(0.5, scale=10).rvs(600, random_state=1)
    first, second = fit_sizes(sizes, resamples=39)
    assert (first.name, second.name) == ("lognormal", "weibull")
    assert first.p_value > 0.05 > second.p_value


def test_weights_count_as_copies():
    copies = fit_sizes(np.repeat(SIZES, 2), resamples=1)
    weights = fit_sizes(SIZES, np.full(7, 2.0), resamples=1)
    assert copies[0].scale == pytest.approx(weights[0].scale, rel=1e-6)


def test_too_few_or_equal_sizes_give_no_fit():
    assert fit_sizes(SIZES[:4]) == ()
    assert fit_sizes(np.full(9, 3.0)) == ()
    assert fit_sizes(SIZES, smallest=11.0) == ()


def test_a_fit_that_takes_nearly_all_sizes_for_unseen_tells_nothing():
    tail = 9.0 * (1 - np.linspace(0.02, 0.98, 25)) ** -0.5  # a power law has no middle
    assert [fit.name for fit in fit_sizes(tail, smallest=9.0, resamples=1)] == []
    assert len(fit_sizes(tail, resamples=1)) == 2


def test_parts_between_add_up_to_all_that_is_seen():
    sizes = np.random.default_rng(5).lognormal(2.0, 0.3, 80)
    for fit in fit_sizes(sizes, smallest=5.0, resamples=0):
        parts = fit.part_between(np.array([0.0, 5.0, 8.0, 12.0, 1e6]))
        assert parts[0] == 0
        assert parts.sum() == pytest.approx(1.0)
