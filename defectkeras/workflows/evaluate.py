"""A model version against the annotations of a split."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.errors import DatasetError
from defectkeras.core.file_names import composed
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.form import SPLITS
from defectkeras.datasets.spec import DatasetSpec, Example, load_example
from defectkeras.quantification.errors import compare_quantities
from defectkeras.quantification.quantify import quantify
from defectkeras.quantification.size_distances import find_sizes
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.workflows.evaluation.scores import Evaluation, ExampleEvaluation
from defectkeras.workflows.evaluation.tallies import tally
from defectkeras.workflows.own_fields import load_fields, name_in_parts
from defectkeras.workflows.segment import (
    Segmentation,
    SegmentSettings,
    load_segmenter,
    segment,
)


@dataclasses.dataclass(frozen=True)
class EvaluationPlan:
    """What would be compared.

    Attributes:
        version: The model version; None for a method without a network.
        spec: The data spec.
        examples: Those of the split.
    """

    version: ModelVersion | None
    spec: DatasetSpec
    examples: tuple[Example, ...]

    @property
    def learned_from(self) -> tuple[str, ...]:
        """Names of the examples that the version has learned from."""
        if self.version is None or self.version.card.dataset_name != self.spec.name:
            return ()
        learned = {composed(name) for name in self.version.card.learned_from()}
        return tuple(
            example.name
            for example in self.examples
            if learned & {example.name, f"train/{name_in_parts(example.name)}"}
        )


def evaluate(
    model: str,
    spec_path: Path | str,
    *,
    split: str = "test",
    root: Path | None = None,
    registry_root: Path | None = None,
    settings: SegmentSettings | None = None,
    tolerance_px: float = 2.0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Segment a split of a data spec and compare it with its annotations.

    Args:
        model: "name", "name@3" or "name@alias" in the registry.
        spec_path: The data spec; its classes must be those of the model. Or a folder
            with micrographs/ and annotations/ of these classes, all of the split.
        split: "train", "val" or "test".
        root: Folder of the micrographs, in place of that of the data spec.
        registry_root: Folder of the registry; None takes the default.
        settings: How to segment; None takes the defaults.
        tolerance_px: How far a boundary may be off.
        on_progress: Called with the micrographs done and those of all.

    Raises:
        DatasetError: When the split is empty or the classes differ.
        RegistryError: When there is no such model version or it is damaged.
    """
    plan = plan_evaluation(
        model, spec_path, split=split, root=root, registry_root=registry_root
    )
    chosen = settings or SegmentSettings()
    segmenter = load_segmenter(
        model, registry_root, runtime=chosen.runtime, url=chosen.url
    )
    evaluation = evaluate_split(
        lambda micrograph: segment(segmenter, micrograph, chosen),
        plan.spec,
        split=split,
        model=segmenter.version.reference,
        sha256=segmenter.version.sha256,
        tolerance_px=tolerance_px,
        on_progress=on_progress,
    )
    return dataclasses.replace(evaluation, learned_from=plan.learned_from)


def evaluate_split(
    segment_micrograph: Callable[[Micrograph], Segmentation],
    spec: DatasetSpec,
    *,
    split: str,
    model: str,
    sha256: str | None,
    tolerance_px: float,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Compare what a function says about a split with its annotations.

    Args:
        segment_micrograph: Says it about one micrograph.
        spec: The data spec.
        split: "train", "val" or "test".
        model: How the result calls the function.
        sha256: Of the model version, where it is one.
        tolerance_px: How far a boundary may be off.
        on_progress: Called with the micrographs done and those of all.

    Raises:
        DatasetError: When the split is unknown or empty.
    """
    examples = _examples_of(spec, split)
    results = []
    for number, example in enumerate(examples):
        results.append(
            _evaluate_example(segment_micrograph, example, spec.scheme, tolerance_px)
        )
        if on_progress is not None:
            on_progress(number + 1, len(examples))
    return Evaluation(
        model=model,
        sha256=sha256,
        dataset_name=spec.name,
        split=split,
        scheme=spec.scheme,
        tolerance_px=tolerance_px,
        examples=tuple(results),
    )


def plan_evaluation(
    model: str | None,
    spec_path: Path | str,
    *,
    split: str = "test",
    root: Path | None = None,
    registry_root: Path | None = None,
) -> EvaluationPlan:
    """Find the model, load the data spec, and check that they fit together.

    The arguments and the errors are those of `evaluate`; a method without a network
    has no model.
    """
    version = None if model is None else ModelRegistry(registry_root).resolve(model)
    scheme = version.card.scheme if version else None
    spec = load_fields(Path(spec_path), scheme, split=split, root=root)
    examples = _examples_of(spec, split)
    if version is not None and version.card.scheme != spec.scheme:
        raise DatasetError(
            f"The data spec must have the classes of {version.reference}, "
            f"{[c.name for c in version.card.scheme.classes]}. "
            f"Received: {[c.name for c in spec.scheme.classes]}."
        )
    return EvaluationPlan(version, spec, examples)


def _examples_of(spec: DatasetSpec, split: str) -> tuple[Example, ...]:
    """Give the examples of a split that has some."""
    others = [s for s in SPLITS if spec.of_split(s)]
    return spec.require_split(split, f"Choose --split {' or '.join(others)}.")


def _evaluate_example(
    segment_micrograph: Callable[[Micrograph], Segmentation],
    example: Example,
    scheme: LabelScheme,
    tolerance_px: float,
) -> ExampleEvaluation:
    loaded = load_example(example, scheme)
    segmentation = segment_micrograph(loaded.micrograph)
    annotated = loaded.class_map != NOT_ANNOTATED
    seen = np.where(annotated, segmentation.class_map, NOT_ANNOTATED).astype(np.int32)
    numbered = loaded.label_map
    calibration = loaded.micrograph.calibration
    true = quantify(loaded.class_map, scheme, calibration, label_map=numbered)
    measured = quantify(seen, scheme, calibration)
    true_sizes, sizes = find_sizes(true), find_sizes(measured)
    return ExampleEvaluation(
        name=example.name,
        tallies=tally(
            loaded.class_map,
            segmentation.class_map,
            segmentation.prediction.probability_map,
            scheme,
            numbered=numbered,
            tolerance_px=tolerance_px,
        ),
        quantities=compare_quantities(true, measured),
        sizes={name: (true_sizes[name], sizes[name]) for name in sizes},
    )
