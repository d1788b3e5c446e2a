"""A method without a network against the annotations of a split."""

from collections.abc import Callable
from pathlib import Path

from defectkeras.core.errors import DatasetError
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import DatasetSpec
from defectkeras.reporting.results import ModelFacts
from defectkeras.workflows.evaluate import evaluate_split
from defectkeras.workflows.evaluation.scores import Evaluation
from defectkeras.workflows.forest import learn_from
from defectkeras.workflows.method import (
    RANDOM_FOREST,
    Method,
    MethodChoice,
    load_method,
    segment_by_method,
)
from defectkeras.workflows.own_fields import load_fields
from defectkeras.workflows.segment import Segmentation, SegmentSettings


def evaluate_method(
    choice: MethodChoice,
    spec_path: Path | str,
    *,
    split: str = "test",
    root: Path | None = None,
    settings: SegmentSettings | None = None,
    tolerance_px: float = 2.0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Compare a method without a network with the annotations of a split.

    Args:
        choice: The method; "random_forest" is fitted on the split "train" first.
        spec_path: The data spec; with two classes unless for a forest.
        split: "train", "val" or "test".
        root: Folder of the micrographs, in place of that of the data spec.
        settings: How to segment; None takes the defaults.
        tolerance_px: How far a boundary may be off.
        on_progress: Called with the micrographs done and those of all.

    Raises:
        DatasetError: When the split is unknown or empty, or the data spec has other
            classes than the method can tell apart.
        ModelError: When there is no such method, or the file holds no forest.
        TrainingError: When there is nothing annotated to fit a forest on.
    """
    spec = load_fields(Path(spec_path), None, split=split, root=root)
    method = method_for(choice, spec)
    return evaluate_split(
        method_segmenter(method, settings or SegmentSettings()),
        spec,
        split=split,
        model=method.facts.name,
        sha256=method.sha256 or None,
        tolerance_px=tolerance_px,
        on_progress=on_progress,
    )


def method_segmenter(
    method: Method, settings: SegmentSettings
) -> Callable[[Micrograph], Segmentation]:
    """Give a function that segments a micrograph by a method without a network."""
    return lambda micrograph: segment_by_method(method, micrograph, settings)


def method_for(choice: MethodChoice, spec: DatasetSpec) -> Method:
    """Give a method that knows the classes of a data spec.

    Args:
        choice: The method; "random_forest" is fitted here.
        spec: The classes, and for a forest the split "train".

    Raises:
        DatasetError: When the data spec has other classes than the method can tell
            apart.
        ModelError: When there is no such method, or the file holds no forest.
        TrainingError: When there is nothing annotated to fit a forest on.
    """
    if choice.name == RANDOM_FOREST:
        forest = learn_from(spec)
        return Method(ModelFacts(name=RANDOM_FOREST), spec.scheme, lambda image: forest)
    method = load_method(choice)
    if choice.is_forest and method.scheme != spec.scheme:
        raise DatasetError(
            f"{spec.path}: must have the classes of {choice.name}, "
            f"{[c.name for c in method.scheme.classes]}. Received: "
            f"{[c.name for c in spec.scheme.classes]}."
        )
    if method.scheme.num_classes != spec.scheme.num_classes:
        raise DatasetError(
            f"{spec.path}: there must be two classes for the method {choice.name!r}, "
            f"which tells no defects apart. Received: {spec.scheme.num_classes}. Use "
            f"{RANDOM_FOREST!r}."
        )
    return method
