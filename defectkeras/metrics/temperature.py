"""One number that makes probabilities as sure as they are right."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

Logits = NDArray[np.floating]

MOST = 20.0
"""Temperatures lie between 1 / MOST and MOST."""


def fit_temperature(logits: Logits, classes: NDArray[np.integer]) -> float:
    """Find the temperature T with the least negative log-likelihood of some pixels.

    The probabilities are `softmax(z / T)` (or `sigmoid(z / T)` of one map), averaged
    over the views where there are several. One T for all classes never changes which
    class of one view is the most probable, so that it only mends how sure it is.

    Args:
        logits: (V, N, K), of each of V views (N, K) logits of N pixels; K = 1 of the
            one defect class.
        classes: (N,) the class of each pixel.

    Returns:
        T, above 1 for a network that is too sure of itself.

    Raises:
        ValueError: When there is no pixel or the numbers of pixels differ.

    Example:
        >>> logits = np.repeat([[[4.0], [4.0], [4.0], [-4.0]]], 25, axis=1)
        >>> classes = np.repeat([1, 1, 0, 0], 25)  # right in three of four cases
        >>> round(fit_temperature(logits, classes), 2)  # 4 / ln 3
        3.64

    References:
        C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern
        neural networks", ICML (2017), https://doi.org/10.48550/arXiv.1706.04599
    """
    if logits.ndim != 3 or logits.shape[1] != len(classes) or not len(classes):
        raise ValueError(
            "`logits` must be (V, N, K) and `classes` (N,), N at least 1. Received: "
            f"{logits.shape} and {classes.shape}."
        )

    def loss(log_temperature: float) -> float:
        logs = _log_probabilities(logits, np.exp(log_temperature))
        return -float(np.take_along_axis(logs, classes[:, np.newaxis], 1).mean())

    bound = np.log(MOST)
    found = minimize_scalar(loss, bounds=(-bound, bound), method="bounded")
    return float(np.exp(found.x))


def tempered_probabilities(logits: Logits, temperature: float) -> NDArray[np.float64]:
    """Give the probabilities at a temperature, the mean over the views.

    Args:
        logits: (V, N, K), (N, K) of each view, as for `fit_temperature`.
        temperature: T.

    Returns:
        (N, max(K, 2)).
    """
    return np.asarray(np.exp(_log_probabilities(logits, temperature)))


def _log_probabilities(logits: Logits, temperature: float) -> NDArray[np.float64]:
    """Give ln p (N, max(K, 2)) without ever taking the logarithm of 0."""
    scaled = logits / temperature
    if scaled.shape[-1] == 1:
        scaled = np.concatenate([np.zeros_like(scaled), scaled], axis=-1)
    logs = scaled - logsumexp(scaled, axis=-1, keepdims=True)
    return np.asarray(logsumexp(logs, axis=0) - np.log(len(logs)))
