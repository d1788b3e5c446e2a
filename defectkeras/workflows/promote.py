"""A version into production: through a gate, and back."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from defectkeras.core.errors import RegistryError
from defectkeras.core.files import write_json
from defectkeras.core.names import require_known
from defectkeras.datasets.fingerprint import fingerprint_examples
from defectkeras.datasets.spec import DatasetSpec, load_example
from defectkeras.registry.folders import told_plainly
from defectkeras.registry.gate import (
    Check,
    GateRules,
    ScoreSheet,
    apply_gate,
    record_path,
)
from defectkeras.registry.names import require_alias
from defectkeras.registry.store import ModelRegistry
from defectkeras.workflows.evaluate import EvaluationPlan, evaluate, plan_evaluation
from defectkeras.workflows.segment import SegmentSettings, load_segmenter, segment

_TIMED_RUNS = 3


@dataclass(frozen=True)
class GateRequest:
    """On which data a candidate is held against the current version.

    Attributes:
        spec_path: The data spec, or a folder as `evaluate` takes it.
        split: "train", "val" or "test".
        root: Folder of the micrographs, in place of that of the data spec.
        rules: What must hold.
    """

    spec_path: Path
    split: str = "test"
    root: Path | None = None
    rules: GateRules = field(default_factory=GateRules)


@dataclass(frozen=True)
class Promotion:
    """What was decided.

    Attributes:
        name: Name of the model.
        alias: The alias.
        version: The candidate.
        before: The version that the alias meant, or None.
        checks: The rules, applied; empty without a gate.
        record: File with the decision and both score sheets, or None without a
            gate.
        learned_from: Reference of a version to how many of the gate's micrographs it
            has learned from, where that is some.
    """

    name: str
    alias: str
    version: int
    before: int | None
    checks: tuple[Check, ...] = ()
    record: Path | None = None
    learned_from: Mapping[str, int] = field(default_factory=dict)

    @property
    def compared(self) -> tuple[str, ...]:
        """References of the candidate and of another version that is in its place."""
        others = () if self.before in (None, self.version) else (self.before,)
        return tuple(f"{self.name}@{number}" for number in (self.version, *others))

    @property
    def passed(self) -> bool:
        """Whether every rule holds."""
        return all(check.holds for check in self.checks)


def promote(
    reference: str,
    *,
    alias: str = "production",
    gate: GateRequest | None = None,
    why: str = "",
    registry_root: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Promotion:
    """Let an alias mean a version, when it passes the gate.

    With a gate, the candidate and the version that the alias means are evaluated on
    the same micrographs, and timed in turn. The decision and both score sheets are
    kept in "gates/" beside the versions, also when the candidate is refused.

    Args:
        reference: The candidate, "name@3" or "name" for the newest.
        alias: The alias, new or old.
        gate: On which data and by which rules; None promotes without one.
        why: The reason, for the history.
        registry_root: Folder of the registry; None takes the default.
        on_progress: Called with the micrographs done and those of all.

    Returns:
        What was decided; look at `passed`. The alias is moved only then.

    Raises:
        RegistryError: When there is no such version or it is damaged, or somebody
            else has moved the alias while the gate was at work.
        DatasetError: When the data do not fit.
    """
    registry = ModelRegistry(registry_root)
    promotion = plan_promotion(
        reference, alias=alias, gate=gate, registry_root=registry.root
    )
    if gate is not None:
        promotion = _pass_gate(registry, promotion, gate, on_progress)
    if promotion.passed:
        move = registry.set_alias(
            promotion.name,
            alias,
            promotion.version,
            why=why,
            gate=promotion.record.name if promotion.record else None,
            compared_with=promotion.before,
        )
        promotion = dataclasses.replace(promotion, before=move.from_version)
    return promotion


def plan_promotion(
    reference: str,
    *,
    alias: str,
    gate: GateRequest | None,
    registry_root: Path | None = None,
) -> Promotion:
    """Find what would be promoted, and check that it can be held against the data.

    The arguments and the errors are those of `promote`; nothing is loaded.
    """
    registry = ModelRegistry(registry_root)
    candidate = registry.resolve(reference)
    before = registry.aliases(candidate.name).get(require_alias(alias))
    promotion = Promotion(candidate.name, alias, candidate.version, before)
    if gate is None:
        return promotion
    plans = {r: _plan_evaluation(registry, r, gate) for r in promotion.compared}
    learned = {r: len(plan.learned_from) for r, plan in plans.items()}
    learned = {r: count for r, count in learned.items() if count}
    return dataclasses.replace(promotion, learned_from=learned)


def _plan_evaluation(
    registry: ModelRegistry, reference: str, gate: GateRequest
) -> EvaluationPlan:
    return plan_evaluation(
        reference,
        gate.spec_path,
        split=gate.split,
        root=gate.root,
        registry_root=registry.root,
    )


def _pass_gate(
    registry: ModelRegistry,
    promotion: Promotion,
    gate: GateRequest,
    on_progress: Callable[[int, int], None] | None,
) -> Promotion:
    """Evaluate, decide, and keep the record."""
    references = promotion.compared
    spec = _plan_evaluation(registry, references[0], gate).spec
    seconds = _time_in_turn(registry, references, spec, gate.split)
    sheets = []
    for number, reference in enumerate(references):
        scores = evaluate(
            reference,
            gate.spec_path,
            split=gate.split,
            root=gate.root,
            registry_root=registry.root,
            on_progress=_part(on_progress, number, len(references)),
        ).to_dict()
        sheets.append(_score_sheet(scores, seconds[reference]))
    current = sheets[1] if len(sheets) > 1 else None
    checks = apply_gate(gate.rules, sheets[0], current)
    promotion = dataclasses.replace(promotion, checks=checks)
    record = _write_record(registry, promotion, gate, spec, sheets)
    return dataclasses.replace(promotion, record=record)


def _part(
    on_progress: Callable[[int, int], None] | None, number: int, parts: int
) -> Callable[[int, int], None] | None:
    """Show one of several evaluations as a part of the whole."""
    if on_progress is None:
        return None
    return lambda done, total: on_progress(number * total + done, parts * total)


def _time_in_turn(
    registry: ModelRegistry, references: tuple[str, ...], spec: DatasetSpec, split: str
) -> dict[str, float]:
    """Time the versions in turn on one micrograph, so that a busy machine is fair."""
    micrograph = load_example(spec.of_split(split)[0], spec.scheme).micrograph
    segmenters = [load_segmenter(r, registry.root) for r in references]
    best = dict.fromkeys(references, math.inf)
    for run in range(_TIMED_RUNS + 1):
        for reference, segmenter in zip(references, segmenters, strict=True):
            start = time.perf_counter()
            segment(segmenter, micrograph, SegmentSettings())
            if run:  # the first one builds the graph
                took = time.perf_counter() - start
                best[reference] = min(best[reference], took)
    return best


def _score_sheet(scores: dict[str, Any], seconds: float) -> ScoreSheet:
    """Give what the gate needs of an evaluation."""
    classes = list(scores["pixels_pooled"]["classes"].items())[1:]  # without matrix
    return ScoreSheet(
        reference=scores["model"],
        sha256=scores["sha256"],
        iou={name: row["iou"] for name, row in classes},
        density_error_percent=_density_errors(scores["quantities"]),
        seconds_per_micrograph=seconds,
        scores=scores,
    )


def _density_errors(rows: list[dict[str, Any]]) -> dict[str, float | None]:
    """Give the error of each density, in px only where that is of more micrographs."""
    number = {(row["class_name"], row["name"]): row["micrographs"] for row in rows}
    errors = {}
    for row in rows:
        class_name, name = row["class_name"], row["name"]
        in_m = number.get((class_name, name.replace("_per_px2", "_per_m2")), 0)
        told_in_m = name.endswith("_per_px2") and in_m == row["micrographs"]
        if "density" in name and not told_in_m:
            errors[f"{name} of {class_name}"] = row["mean_absolute_error_percent"]
    return errors


def _write_record(
    registry: ModelRegistry,
    promotion: Promotion,
    gate: GateRequest,
    spec: DatasetSpec,
    sheets: list[ScoreSheet],
) -> Path:
    """Keep the decision and the score sheets; a record is never written over."""
    when = datetime.now(UTC)
    folder, time_text = registry.root / promotion.name, f"{when:%Y%m%dT%H%M%S%f}"
    path = record_path(folder, time_text, promotion.alias, promotion.version)
    with told_plainly(path.parent):
        write_json(
            path,
            {
                "when": when.isoformat(timespec="seconds"),
                "alias": promotion.alias,
                "passed": promotion.passed,
                "dataset": spec.name,
                "split": gate.split,
                "fingerprint": fingerprint_examples(spec.of_split(gate.split)),
                "rules": dataclasses.asdict(gate.rules),
                "checks": [dataclasses.asdict(check) for check in promotion.checks],
                "score_sheets": [dataclasses.asdict(sheet) for sheet in sheets],
            },
        )
    return path


def read_rules(words: tuple[str, ...]) -> GateRules:
    """Read rules given as "most_latency_ratio=1.5".

    Args:
        words: Name and value of each rule that differs from the default.

    Raises:
        RegistryError: When a rule is unknown or its value is no number.
    """
    known = [f.name for f in dataclasses.fields(GateRules)]
    values = {}
    for word in words:
        name, _, value = word.partition("=")
        require_known(name, known, what="rule of the gate", error=RegistryError)
        try:
            values[name] = float(value)
        except ValueError:
            raise RegistryError(
                f"The rule {name!r} must be a number. Received: {value!r}."
            ) from None
    return GateRules(**values)
