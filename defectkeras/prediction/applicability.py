"""Is a micrograph like those that a network has learned from?

Compared are grey levels, texture and certainty (`descriptors.py`), each for itself, so
that a warning can say what differs. A micrograph is the mean x of its patches; its
distance is Mahalanobis' `d = sqrt((x - m)' S^-1 (x - m))` with the mean m and the
shrunk covariance S of the patches of all training micrographs.

The limit of d comes from the training micrographs themselves: each is left out in turn
and its distance from the others found; the limit is the largest, and more where they
are few (`margin`). A single one is cut in quarters, which are left out in turn; such a
limit does not know how micrographs differ. For a micrograph of few patches the limit is
wider, since their mean scatters even where nothing is unlike (`Reference.limit_of`).
The score is the largest ratio of a distance to its limit: above 1 is a warning.

References:
    K. Lee, K. Lee, H. Lee, J. Shin, "A simple unified framework for detecting
    out-of-distribution samples and adversarial attacks", NeurIPS (2018),
    https://doi.org/10.48550/arXiv.1807.03888

    O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance
    matrices", Journal of Multivariate Analysis 88 (2004) 365-411,
    https://doi.org/10.1016/S0047-259X(03)00096-4
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from defectkeras.core.arrays import Image, ProbabilityMap
from defectkeras.core.strict import from_mapping
from defectkeras.prediction.descriptors import (
    MOST_PER_SIDE,
    Descriptors,
    describe_certainty,
    describe_grey_levels,
    describe_texture,
)

ALIKE = 2
"""So many neighboring patches count as one: they look alike, and may overlap."""

_CHANCE = 0.05  # of a micrograph to be beyond a limit though nothing is unlike
_LEAST_LIMIT = 1.0  # within one standard deviation of the patches nothing is foreign
_LEAST_SIGMA = 0.01  # of a grey level, a logarithm or a bit: less is no difference

Described: TypeAlias = Mapping[str, Descriptors]
"""Kind of descriptor to its values (P, D) of each patch of a micrograph."""


@dataclass(frozen=True)
class Reference:
    """What one kind of descriptor is on the training micrographs.

    Attributes:
        mean: (D,) over their patches.
        covariance: (D, D) of their patches, shrunk.
        limit: Largest distance at which a micrograph of 64 patches, the most that are
            looked at, counts as one of them.
        left_out: How many micrographs the limit comes from; with 1, its quarters.
    """

    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    limit: float
    left_out: int

    def distance(self, descriptors: Descriptors) -> float:
        """Give the distance of a micrograph.

        Args:
            descriptors: (P, D) of its patches.
        """
        off = descriptors.mean(axis=0) - np.array(self.mean)
        return float(np.sqrt(off @ np.linalg.solve(np.array(self.covariance), off)))

    def limit_of(self, num_patches: int) -> float:
        """Give the limit for a micrograph of so many patches.

        The mean of n patches that are like all others lies with a chance of 95 %
        within `sqrt(chi2 / n)` of theirs, with the quantile chi2 for D degrees of
        freedom. What a micrograph scatters more than one of 64 patches is added:
        `sqrt(limit^2 + chi2 (1 / n - 1 / n_64))`, where n is half of its patches but
        at least 1, see `ALIKE`.

        Args:
            num_patches: P.

        Example:
            >>> reference = Reference((0.0, 0.0), ((1.0, 0.0), (0.0, 1.0)), 2.0, 8)
            >>> [round(reference.limit_of(patches), 2) for patches in (1, 16, 64)]
            [3.13, 2.14, 2.0]
        """
        scatter = ALIKE * (1 / max(num_patches, ALIKE) - 1 / MOST_PER_SIDE**2)
        chi2 = chdtri(len(self.mean), _CHANCE)
        return float(np.sqrt(self.limit**2 + chi2 * scatter))

    def ratio(self, descriptors: Descriptors) -> float:
        """Give distance over limit of a micrograph.

        Args:
            descriptors: (P, D) of its patches.
        """
        return self.distance(descriptors) / self.limit_of(len(descriptors))


@dataclass(frozen=True)
class Applicability:
    """How far a micrograph is from those that a network has learned from.

    Attributes:
        ratios: Kind of descriptor to distance over limit.
        of_one: Kinds that were learned from a single micrograph.
    """

    ratios: Mapping[str, float]
    of_one: frozenset[str] = frozenset()

    @property
    def score(self) -> float:
        """The largest ratio; above 1 is a warning."""
        return max(self.ratios.values())

    @property
    def warning(self) -> str | None:
        """What differs, in one line; None where nothing does.

        Example:
            >>> print(Applicability({"texture": 2.4, "grey levels": 0.5}).warning)
            Unlike the training micrographs in texture (score 2.4, limit 1): check \
the overlay before using numbers. Where it is wrong, try another model or defectkeras \
finetune.
        """
        differing = [kind for kind, ratio in self.ratios.items() if ratio > 1]
        if not differing:
            return None
        alone = self.of_one.intersection(differing)
        rough = ", learned from one micrograph alone" if alone else ""
        return (
            f"Unlike the training micrographs in {' and '.join(differing)} "
            f"(score {self.score:.3g}, limit 1{rough}): check the overlay before using "
            "numbers. Where it is wrong, try another model or defectkeras finetune."
        )

    def to_dict(self) -> dict[str, Any]:
        """Give it for JSON."""
        return {"score": self.score, "limit": 1.0, "ratios": dict(self.ratios)}


def describe_image(image: Image) -> Described:
    """Describe how a micrograph looks.

    Args:
        image: (H, W) in [0, 1], normalized as for the network.
    """
    return {
        "grey levels": describe_grey_levels(image),
        "texture": describe_texture(image),
    }


def describe_probabilities(probability_map: ProbabilityMap) -> Described:
    """Describe how sure a network is of a micrograph.

    Args:
        probability_map: (H, W, K).
    """
    return {"certainty": describe_certainty(probability_map)}


def compare(
    described: Described, references: Mapping[str, Reference]
) -> Applicability | None:
    """Compare a micrograph with the training micrographs.

    Args:
        described: From `describe_image` and `describe_probabilities`.
        references: Kind of descriptor to what it is in training.

    Returns:
        Its ratios of all kinds that both know; None where there is none.
    """
    known = {kind: r for kind, r in references.items() if kind in described}
    ratios = {kind: r.ratio(described[kind]) for kind, r in known.items()}
    of_one = frozenset(kind for kind, r in known.items() if r.left_out == 1)
    return Applicability(ratios, of_one) if ratios else None


def cut_in_quarters(whole: NDArray[Any]) -> list[NDArray[Any]]:
    """Give the quarters of a micrograph that is the only one.

    Args:
        whole: (H, W, ...) image or probability map.

    Example:
        >>> [part.shape for part in cut_in_quarters(np.zeros((5, 8)))]
        [(3, 4), (3, 4), (2, 4), (2, 4)]
    """
    halves = np.array_split(whole, 2)
    return [part for half in halves for part in np.array_split(half, 2, axis=1)]


def margin(count: int, num_descriptors: int) -> float:
    """Give the limit as a multiple of the largest distance.

    The largest of n distances stands about at the quantile n / (n + 1) of the distances
    of further micrographs; wanted is the one of 95 %. For squared distances that are
    distributed as chi2 of D degrees of freedom it is farther by the factor
    `sqrt(chi2(0.95) / chi2(n / (n + 1)))`. From 19 on the largest is far enough.

    Args:
        count: n, of the micrographs that were left out in turn.
        num_descriptors: D.

    Example:
        >>> [round(margin(count, 5), 2) for count in (1, 4, 10, 19, 60)]
        [1.6, 1.23, 1.08, 1.0, 1.0]
    """
    beyond = max(1 / (count + 1), _CHANCE)
    chi2, chi2_of_largest = chdtri(num_descriptors, [_CHANCE, beyond])
    return float(np.sqrt(chi2 / chi2_of_largest))


def fit_reference(
    micrographs: Sequence[Descriptors], *, of_one: bool = False
) -> Reference:
    """Learn what one kind of descriptor is like, and how far it may be off.

    Args:
        micrographs: (P, D) of the patches of each, at least two; P may differ.
        of_one: Whether they are the quarters of one, and count as one.

    Returns:
        The reference, with numbers of six digits.

    Raises:
        ValueError: When there are fewer than two.
    """
    if len(micrographs) < 2:
        raise ValueError(
            "A reference needs two micrographs, or quarters, since one of them is left "
            f"out. Received: {len(micrographs)}."
        )
    distances = []
    for left_out, descriptors in enumerate(micrographs):
        others = [m for number, m in enumerate(micrographs) if number != left_out]
        distances.append(_fit(others).distance(descriptors))
    reference = _fit(micrographs)
    count = 1 if of_one else len(micrographs)
    limit = margin(count, len(reference.mean)) * max(distances)
    return replace(reference, limit=_rounded(max(limit, _LEAST_LIMIT)), left_out=count)


def read_references(table: Mapping[str, Any], *, where: str) -> dict[str, Reference]:
    """Read the references of a model card, strictly.

    Args:
        table: Kind of descriptor to the fields of a `Reference`.
        where: What the error message calls it.

    Raises:
        DefectKerasError: When a key is unknown or missing, or a value is wrong.
    """
    return {
        kind: from_mapping(Reference, fields, where=f"{where} {kind}")
        for kind, fields in table.items()
    }


def _fit(micrographs: Sequence[Descriptors]) -> Reference:
    """Give mean and covariance; the limit is not known yet."""
    from sklearn.covariance import ledoit_wolf  # takes a second

    patches = np.concatenate(micrographs)
    mean = patches.mean(axis=0)
    sigmas = np.sqrt(patches.var(axis=0) + _LEAST_SIGMA**2)
    covariance = np.zeros((len(mean), len(mean)))
    if len(patches) > 1:  # a single one tells no spread
        shrunk, _ = ledoit_wolf((patches - mean) / sigmas, assume_centered=True)
        covariance = np.outer(sigmas, sigmas) * shrunk
    covariance[np.diag_indices_from(covariance)] += _LEAST_SIGMA**2
    return Reference(
        mean=tuple(map(_rounded, mean)),
        covariance=tuple(tuple(map(_rounded, row)) for row in covariance),
        limit=np.inf,
        left_out=0,
    )


def _rounded(value: float) -> float:
    """Give six digits, which make a short card."""
    return float(f"{value:.6g}")
