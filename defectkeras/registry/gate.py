"""The rules by which a candidate may take the place of a version in production.

saved_models/<name>/gates/<time>-<alias>-<version>.json    each decision, kept
"""

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from defectkeras.core.errors import RegistryError
from defectkeras.registry.manifest import read_json
from defectkeras.registry.version import ModelVersion

GATES = "gates"
"""Folder beside the versions, for the record of each decision."""


@dataclass(frozen=True)
class GateRules:
    """What a candidate must keep, compared with the current version.

    Attributes:
        most_iou_loss: How much lower the mean IoU of the defects may be.
        most_class_iou_loss: How much lower the IoU of any one class may be.
        most_density_error_rise_percent: How much higher the mean absolute error of
            any density may be, in percent of the true density.
        most_latency_ratio: Time per micrograph, as a multiple of the current
            version's.
        least_iou: Mean IoU of the defects that a candidate needs in any case; the
            one rule when there is no current version.
    """

    most_iou_loss: float = 0.0
    most_class_iou_loss: float = 0.02
    most_density_error_rise_percent: float = 1.0
    most_latency_ratio: float = 1.2
    least_iou: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a limit that nothing can keep, or that anything keeps.

        Raises:
            RegistryError: When a limit is none.
        """
        for entry in fields(self):
            value = getattr(self, entry.name)
            most = 1 if entry.name.endswith(("_loss", "_iou")) else math.inf
            if not 0 <= value <= most or value == math.inf:
                bounds = "at least 0" if most == math.inf else "from 0 to 1"
                raise RegistryError(
                    f"The gate's `{entry.name}` must be {bounds}. Received: {value}."
                )
        if self.most_latency_ratio == 0:
            raise RegistryError(
                "The gate's `most_latency_ratio` must be above 0. Received: 0. "
                "1.2 allows a fifth more time."
            )


@dataclass(frozen=True)
class ScoreSheet:
    """What the gate knows about one version.

    Attributes:
        reference: Such as "voids@3".
        sha256: Of the version.
        iou: Class name to its IoU over all pixels of the split, defects only; None
            where a class is neither annotated nor predicted.
        density_error_percent: Quantity to its mean absolute error.
        seconds_per_micrograph: The shortest of several runs.
        scores: All scores, for the record.
    """

    reference: str
    sha256: str
    iou: dict[str, float | None]
    density_error_percent: dict[str, float | None]
    seconds_per_micrograph: float
    scores: dict[str, Any]

    @property
    def mean_iou(self) -> float:
        """The mean IoU of the defects that have one; 0 when none has."""
        known = [iou for iou in self.iou.values() if iou is not None]
        return sum(known) / len(known) if known else 0.0


@dataclass(frozen=True)
class Check:
    """One rule, applied.

    Attributes:
        rule: What had to hold, in words.
        candidate: The candidate's figure; None when it has none, which fails.
        limit: What it was held against.
        holds: Whether the rule holds.
    """

    rule: str
    candidate: float | None
    limit: float
    holds: bool


def apply_gate(
    rules: GateRules, candidate: ScoreSheet, current: ScoreSheet | None
) -> tuple[Check, ...]:
    """Hold a candidate against the rules.

    Args:
        rules: The rules.
        candidate: Its scores.
        current: Those of the version that it would replace, on the same data; None
            when there is none yet.

    Returns:
        One check for each rule, class and density.

    Example:
        >>> new = ScoreSheet("voids@2", "", {"void": 0.80}, {}, 1.0, {})
        >>> old = ScoreSheet("voids@1", "", {"void": 0.83}, {}, 1.0, {})
        >>> [c.rule for c in apply_gate(GateRules(), new, old) if not c.holds]
        ['mean IoU of the defects at least', 'IoU of void at least']
    """
    checks = [_at_least("least mean IoU", candidate.mean_iou, rules.least_iou)]
    if current is None:
        return tuple(checks)
    floor = current.mean_iou - rules.most_iou_loss
    checks.append(
        _at_least("mean IoU of the defects at least", candidate.mean_iou, floor)
    )
    for name, iou in _known(current.iou):
        floor = iou - rules.most_class_iou_loss
        found = candidate.iou.get(name)
        checks.append(_at_least(f"IoU of {name} at least", found, floor))
    for name, error in _known(current.density_error_percent):
        ceiling = error + rules.most_density_error_rise_percent
        found = candidate.density_error_percent.get(name)
        checks.append(_at_most(f"error of {name} in percent at most", found, ceiling))
    ceiling = rules.most_latency_ratio * current.seconds_per_micrograph
    seconds = candidate.seconds_per_micrograph
    checks.append(_at_most("seconds per micrograph at most", seconds, ceiling))
    return tuple(checks)


def record_path(folder: Path, when: str, alias: str, version: int) -> Path:
    """Give the file for a decision in a model's folder; `when` sorts by time."""
    return folder / GATES / f"{when}-{alias}-{version}.json"


def decisions_on(version: ModelVersion) -> dict[str, Any]:
    """Give file name to record of each decision on a version, the oldest first.

    Raises:
        RegistryError: When a record cannot be read.
    """
    pattern = record_path(version.path.parent, "*", "*", version.version)
    found = sorted(pattern.parent.glob(pattern.name))
    return {path.name: read_json(path) for path in found}


def _known(values: dict[str, float | None]) -> list[tuple[str, float]]:
    return [(name, value) for name, value in values.items() if value is not None]


_ROUNDING = 1e-9


def _at_least(rule: str, value: float | None, limit: float) -> Check:
    holds = value is not None and value >= limit - _ROUNDING
    return Check(rule, value, limit, holds)


def _at_most(rule: str, value: float | None, limit: float) -> Check:
    holds = value is not None and value <= limit + _ROUNDING
    return Check(rule, value, limit, holds)
