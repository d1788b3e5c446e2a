"""Distributions fitted to sizes, of which the smallest may be missing.

Objects below the resolution are not seen. With the truncated likelihood, the
density over the chance to be at least as large as the smallest that counts, the
fit is that of all objects, seen or not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import optimize, stats

from defectkeras.quantification.runs import Floats

RESAMPLES = 99

_FEWEST = 5

LEAST_SEEN = 0.01
"""Part of all sizes that must be seen: else a fit is one of what is not."""

_WALL = 0.1 * LEAST_SEEN  # so far the search goes; beyond, numbers run out


@dataclass(frozen=True)
class SizeFit:
    """A distribution fitted to sizes by maximum likelihood.

    Attributes:
        name: "lognormal" or "weibull".
        shape: sigma of ln d, or the exponent k.
        scale: Median exp(mu), or the Weibull scale; in the unit of the sizes.
        mean: Mean of the whole distribution, also of sizes that are not seen.
        aic: 2 parameters less twice the log-likelihood; the smaller, the better.
        distance: Largest difference of the distribution functions (Kolmogorov).
        p_value: Of it, by parametric bootstrap: fitted to samples from itself;
            below 0.05 the distribution does not fit.
        count: Number of sizes.
        smallest: The truncation, 0 for none.
    """

    name: str
    shape: float
    scale: float
    mean: float
    aic: float
    distance: float
    p_value: float
    count: int
    smallest: float

    def part_between(self, edges: Floats) -> Floats:
        """Give the part of the sizes from `smallest` on in each class.

        Args:
            edges: (N + 1, ...) of the classes.

        Returns:
            (N, ...) parts, each in [0, 1].
        """
        frozen = _DISTRIBUTIONS[self.name](self.shape, self.scale)
        seen = np.maximum(edges, self.smallest)
        parts = -np.diff(frozen.sf(seen), axis=0) / frozen.sf(self.smallest)
        return np.asarray(parts, dtype=np.float64)


_Frozen = Callable[[float, float], "stats.distributions.rv_frozen"]

_DISTRIBUTIONS: dict[str, _Frozen] = {
    "lognormal": lambda shape, scale: stats.lognorm(shape, scale=scale),
    "weibull": lambda shape, scale: stats.weibull_min(shape, scale=scale),
}


def fit_sizes(
    diameters: Floats,
    weights: Floats | None = None,
    *,
    smallest: float = 0.0,
    resamples: int = RESAMPLES,
) -> tuple[SizeFit, ...]:
    """Fit a log-normal and a Weibull distribution to sizes.

    Args:
        diameters: (N,) above 0; those below `smallest` are left out.
        weights: (N,) edge weights, 0 leaves an object out; by default 1 each.
        smallest: Size from which on objects are surely seen.
        resamples: Number of bootstrap samples B; p-values are multiples of
            1 / (B + 1).

    Returns:
        Both fits, the better one by AIC first, but none by which less than
        `LEAST_SEEN` of all sizes are seen; none for fewer than five sizes or when
        all are equal.

    Example:
        >>> fits = fit_sizes(np.array([5.0, 7, 8, 10, 12, 15, 20]), resamples=9)
        >>> [(f.name, round(f.shape, 3), round(f.scale, 3)) for f in fits]
        [('lognormal', 0.437, 10.011), ('weibull', 2.483, 12.452)]

    References:
        H. Akaike, IEEE Trans. Autom. Control 19 (1974) 716,
        doi:10.1109/TAC.1974.1100705; W. Stute et al., Metrika 40 (1993) 243,
        doi:10.1007/BF02613687 (bootstrap of the distance).
    """
    parts = np.ones(len(diameters)) if weights is None else weights
    used = (parts > 0) & (diameters >= smallest)
    sizes = diameters[used]
    if len(sizes) < _FEWEST or np.ptp(sizes) == 0:
        return ()
    shares = parts[used] * len(sizes) / parts[used].sum()
    fits = [
        _fit(name, sizes, shares, smallest, np.random.default_rng(0), resamples)
        for name in _DISTRIBUTIONS
    ]
    return tuple(sorted(filter(None, fits), key=lambda fit: fit.aic))


def _fit(
    name: str,
    sizes: Floats,
    weights: Floats,
    smallest: float,
    rng: Generator,
    resamples: int,
) -> SizeFit | None:
    shape, scale, cost = _maximize(name, sizes, weights, smallest)
    frozen = _DISTRIBUTIONS[name](shape, scale)
    if frozen.sf(smallest) < LEAST_SEEN:
        return None
    distance = _distance(frozen, sizes, weights, smallest)
    ones = np.ones(len(sizes))
    farther = 0
    for _ in range(resamples):
        tail = rng.uniform(size=len(sizes)) * frozen.sf(smallest)
        drawn = np.maximum(frozen.isf(tail), np.finfo(float).tiny)
        again = _DISTRIBUTIONS[name](*_maximize(name, drawn, ones, smallest)[:2])
        farther += _distance(again, drawn, ones, smallest) >= distance
    return SizeFit(
        name=name,
        shape=shape,
        scale=scale,
        mean=float(frozen.mean()),
        aic=4 + 2 * float(cost),
        distance=distance,
        p_value=(farther + 1) / (resamples + 1),
        count=len(sizes),
        smallest=smallest,
    )


def _maximize(
    name: str, sizes: Floats, weights: Floats, smallest: float
) -> tuple[float, float, float]:
    """Give shape, scale and the least negative log-likelihood."""
    logarithms = np.log(sizes)
    mu = float(np.average(logarithms, weights=weights))
    sigma = math.sqrt(float(np.average((logarithms - mu) ** 2, weights=weights)))
    total, log_sum = float(weights.sum()), float(weights @ logarithms)
    cut = math.log(smallest) if smallest > 0 else -math.inf

    def truncated(log_seen: float) -> float:
        return math.inf if log_seen < math.log(_WALL) else total * log_seen

    def lognormal(x: Floats) -> float:
        s = math.exp(x[0])
        z = (logarithms - x[1]) / s
        cost = float(weights @ z**2) / 2 + total * (x[0] + math.log(2 * math.pi) / 2)
        cost += truncated(float(stats.norm.logsf((cut - x[1]) / s)))
        return float(cost + log_sum)

    def weibull(x: Floats) -> float:
        k = math.exp(x[0])
        powers = np.exp(np.minimum(k * (logarithms - x[1]), 500.0))
        cost = float(weights @ powers) - total * (x[0] - k * x[1]) - (k - 1) * log_sum
        return float(cost + truncated(-math.exp(min(k * (cut - x[1]), 500.0))))

    if name == "lognormal":
        cost, start = lognormal, [math.log(sigma), mu]
    else:
        cost, start = weibull, [math.log(1.2 / sigma), mu + 0.58 * sigma]
    if smallest == 0:
        x = start if name == "lognormal" else _untruncated_weibull(logarithms, weights)
        return math.exp(x[0]), math.exp(x[1]), cost(np.array(x))
    found = optimize.minimize(
        cost, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9}
    )
    return math.exp(found.x[0]), math.exp(found.x[1]), float(found.fun)


def _untruncated_weibull(logarithms: Floats, weights: Floats) -> list[float]:
    """Give ln k and ln scale where the derivatives of the likelihood are 0.

    The one for the scale gives scale**k = mean(d**k), and with it the one for k is
    mean(d**k ln d) / mean(d**k) - mean(ln d) = 1 / k, of which the left side rises
    from 0 to ln(largest / geometric mean): one solution.
    """
    largest = float(logarithms.max())
    below = logarithms - largest  # so that no power overflows
    mean = float(np.average(below, weights=weights))

    def difference(k: float) -> float:
        return (
            float(np.average(below, weights=weights * np.exp(k * below))) - mean - 1 / k
        )

    low = -1 / mean
    high = 2 * low
    while difference(high) < 0:
        low, high = high, 2 * high
    k = float(optimize.brentq(difference, low, high, xtol=1e-12 * low))
    power = float(np.average(np.exp(k * below), weights=weights))
    return [math.log(k), largest + math.log(power) / k]


def _distance(
    frozen: "stats.distributions.rv_frozen",
    sizes: Floats,
    weights: Floats,
    smallest: float,
) -> float:
    """Give the largest difference of the fitted and the seen distribution."""
    order = np.argsort(sizes)
    steps = np.cumsum(weights[order]) / weights.sum()
    fitted = 1 - frozen.sf(sizes[order]) / frozen.sf(smallest)
    before = np.append(0.0, steps[:-1])
    return float(max(np.abs(fitted - steps).max(), np.abs(fitted - before).max()))
