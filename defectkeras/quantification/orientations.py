"""Orientations of lines, which point both ways: rose, mean and test."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from defectkeras.quantification.runs import Floats


@dataclass(frozen=True)
class AxialStatistics:
    """The mean of orientations.

    Attributes:
        mean_deg: In [0, 180).
        alignment: Mean resultant length of the doubled angles, from 0 (all ways
            alike) to 1 (parallel).
        p_value: Of Rayleigh's test against no preferred orientation.
    """

    mean_deg: float
    alignment: float
    p_value: float


def axial_statistics(
    orientations_deg: Floats, weights: Floats | None = None
) -> AxialStatistics:
    """Give mean and alignment of orientations.

    With z = sum w exp(2 i angle) / sum w the mean is arg(z) / 2 and the alignment
    |z|; the test takes the effective count (sum w)^2 / sum w^2.

    Args:
        orientations_deg: (N,) angles; 180 degrees make no difference. N at least 1.
        weights: (N,) such as lengths; by default 1 each.

    Returns:
        The statistics.

    Example:
        >>> found = axial_statistics(np.array([10.0, 20.0, 170.0, 175.0]))
        >>> round(found.mean_deg, 2), round(found.alignment, 4)
        (3.68, 0.9151)

    References:
        N. I. Fisher, Statistical Analysis of Circular Data (1993),
        doi:10.1017/CBO9780511564345.
    """
    parts = np.ones(len(orientations_deg)) if weights is None else weights
    doubled = np.radians(2 * orientations_deg)
    z = complex(parts @ np.cos(doubled), parts @ np.sin(doubled)) / parts.sum()
    count = float(parts.sum() ** 2 / (parts**2).sum())
    alignment = min(abs(z), 1.0)
    spread = 1 + 4 * count + 4 * count**2 * (1 - alignment**2)
    p_value = math.exp(math.sqrt(spread) - (1 + 2 * count))
    mean_deg = math.degrees(math.atan2(z.imag, z.real)) / 2 % 180.0
    return AxialStatistics(mean_deg, alignment, min(p_value, 1.0))


def orientation_rose(
    orientations_deg: Floats, weights: Floats | None = None, *, num_bins: int = 18
) -> pd.DataFrame:
    """Add weights in sectors of orientation.

    Args:
        orientations_deg: (N,) angles.
        weights: (N,) such as lengths; by default 1 each.
        num_bins: Number of sectors of [0, 180) degrees.

    Returns:
        One row per sector: low_deg, high_deg, weight, fraction.

    Example:
        >>> rose = orientation_rose(np.array([5.0, 185.0, 100.0]), num_bins=2)
        >>> rose["weight"].tolist()
        [2.0, 1.0]
    """
    edges = np.linspace(0.0, 180.0, num_bins + 1)
    amounts, _ = np.histogram(orientations_deg % 180.0, edges, weights=weights)
    total = float(amounts.sum())
    return pd.DataFrame(
        {
            "low_deg": edges[:-1],
            "high_deg": edges[1:],
            "weight": amounts.astype(np.float64),
            "fraction": amounts / total if total > 0 else np.zeros(num_bins),
        }
    )
