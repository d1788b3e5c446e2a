"""A model version against annotations: pixels, objects and quantities."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, LabelMap
from defectkeras.core.errors import DatasetError
from defectkeras.core.labels import LabelScheme
from defectkeras.core.names import require_known
from defectkeras.datasets.form import SplitName
from defectkeras.datasets.spec import Example, load_dataset_spec, load_example
from defectkeras.metrics import (
    Counts,
    confusion_counts,
    mean_iou_over_images,
    score_counts,
)
from defectkeras.micrographs.annotations import read_label_map
from defectkeras.quantification.agreement import (
    ObjectMatch,
    compare_quantities,
    match_objects,
)
from defectkeras.quantification.objects import label_objects
from defectkeras.quantification.quantify import quantify
from defectkeras.workflows.segment import (
    Segmenter,
    SegmentSettings,
    load_segmenter,
    segment,
)

SPLITS = get_args(SplitName)
MIN_IOU = 0.5


@dataclass(frozen=True, eq=False)
class ExampleEvaluation:
    """How well one example was segmented.

    Attributes:
        name: Of the example.
        counts: (K, K) pixels by true (rows) and predicted class.
        matches: Class name to its matched objects, for region classes.
        quantities: True and predicted quantities, side by side.
    """

    name: str
    counts: Counts
    matches: dict[str, ObjectMatch]
    quantities: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How well a split was segmented.

    Attributes:
        model: Reference of the version.
        sha256: Of the version.
        dataset_name: Name of the data spec.
        split: "train", "val" or "test".
        scheme: The classes.
        examples: One for each micrograph.
    """

    model: str
    sha256: str
    dataset_name: str
    split: str
    scheme: LabelScheme
    examples: tuple[ExampleEvaluation, ...]

    def quantities(self) -> pd.DataFrame:
        """Give true and predicted quantities of all examples, one row each."""
        return pd.concat(
            [e.quantities.assign(micrograph=e.name) for e in self.examples],
            ignore_index=True,
        )

    def to_dict(self) -> dict[str, Any]:
        """Give all scores, ready for JSON."""
        counts = np.stack([e.counts for e in self.examples])
        names = [c.name for c in self.scheme.classes]
        image_means = mean_iou_over_images(counts)
        return {
            "model": self.model,
            "sha256": self.sha256,
            "dataset": self.dataset_name,
            "split": self.split,
            "micrographs": [e.name for e in self.examples],
            "pixels_pooled": score_counts(counts.sum(axis=0)).to_dict(names),
            "mean_iou_over_images": {
                name: _or_none(iou)
                for name, iou in zip(names, image_means, strict=True)
            },
            "objects": self._objects(),
            "quantities": self._quantity_errors(),
        }

    def _objects(self) -> dict[str, Any]:
        """Pool the matched objects of each region class over the examples."""
        pooled = {}
        for defect_class in self.scheme.defects:
            found = [
                e.matches[defect_class.name]
                for e in self.examples
                if e.matches and defect_class.name in e.matches
            ]
            if not found:
                continue
            hits = sum(m.true_positives for m in found)
            true = sum(m.true_count for m in found)
            predicted = sum(m.predicted_count for m in found)
            pooled[defect_class.name] = {
                "rule": f"one to one, IoU at least {MIN_IOU}",
                "true": true,
                "predicted": predicted,
                "matched": hits,
                "precision": hits / predicted if predicted else None,
                "recall": hits / true if true else None,
                "f1": 2 * hits / (true + predicted) if true + predicted else None,
            }
        return pooled

    def _quantity_errors(self) -> list[dict[str, Any]]:
        """Give mean error and mean absolute error of each quantity, in percent."""
        rows = []
        groups = self.quantities().groupby(["class_name", "name"], sort=False)
        for (class_name, name), group in groups:
            errors = 100 * group["relative_error"].dropna()
            rows.append(
                {
                    "class_name": class_name,
                    "name": name,
                    "micrographs": len(errors),
                    "mean_error_percent": _or_none(errors.mean()),
                    "mean_absolute_error_percent": _or_none(errors.abs().mean()),
                }
            )
        return rows


def evaluate(
    model: str,
    spec_path: Path | str,
    *,
    split: str = "test",
    root: Path | None = None,
    registry_root: Path | None = None,
    settings: SegmentSettings | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Segment a split of a data spec and compare it with its annotations.

    Args:
        model: "name", "name@3" or "name@alias" in the registry.
        spec_path: The data spec; its classes must be those of the model.
        split: "train", "val" or "test".
        root: Folder of the micrographs, in place of that of the data spec.
        registry_root: Folder of the registry; None takes the default.
        settings: How to segment; None takes the defaults.
        on_progress: Called with the micrographs done and those of all.

    Raises:
        DatasetError: When the split is empty or the classes differ.
        RegistryError: When there is no such model version or it is damaged.
    """
    require_known(split, SPLITS, what="split", error=DatasetError)
    spec = load_dataset_spec(spec_path, root=root)
    examples = [e for e in spec.examples if e.split == split]
    if not examples:
        raise DatasetError(
            f'{spec.path}: the split "{split}" must have a micrograph. Received: none.'
        )
    segmenter = load_segmenter(model, registry_root)
    _require_same_classes(segmenter, spec.scheme)
    results = []
    for number, example in enumerate(examples):
        results.append(
            _evaluate_example(segmenter, example, settings or SegmentSettings())
        )
        if on_progress is not None:
            on_progress(number + 1, len(examples))
    return Evaluation(
        model=segmenter.version.reference,
        sha256=segmenter.version.sha256,
        dataset_name=spec.name,
        split=split,
        scheme=spec.scheme,
        examples=tuple(results),
    )


def _require_same_classes(segmenter: Segmenter, scheme: LabelScheme) -> None:
    if segmenter.card.scheme != scheme:
        known = [c.name for c in segmenter.card.scheme.classes]
        raise DatasetError(
            f"The data spec must have the classes of {segmenter.version.reference}, "
            f"{known}. Received: {[c.name for c in scheme.classes]}."
        )


def _evaluate_example(
    segmenter: Segmenter, example: Example, settings: SegmentSettings
) -> ExampleEvaluation:
    scheme = segmenter.card.scheme
    loaded = load_example(example, scheme)
    class_map = segment(segmenter, loaded.micrograph, settings).class_map
    annotated = loaded.class_map != NOT_ANNOTATED
    predicted = np.where(annotated, class_map, NOT_ANNOTATED).astype(np.int32)
    numbered = (
        read_label_map(example.annotation_path)
        if example.encoding == "objects"
        else None
    )
    calibration = loaded.micrograph.calibration
    return ExampleEvaluation(
        name=example.name,
        counts=confusion_counts(
            loaded.class_map, class_map, num_classes=scheme.num_classes
        ),
        matches={
            c.name: match_objects(
                _objects_of(loaded.class_map, c.index, numbered),
                _objects_of(predicted, c.index, None),
                min_iou=MIN_IOU,
            )
            for c in scheme.defects
            if c.kind == "region"
        },
        quantities=compare_quantities(
            quantify(loaded.class_map, scheme, calibration, label_map=numbered),
            quantify(predicted, scheme, calibration),
        ),
    )


def _objects_of(class_map: ClassMap, index: int, numbered: LabelMap | None) -> LabelMap:
    """Give the objects of one class, numbered."""
    mask = class_map == index
    if numbered is None:
        return label_objects(mask)
    return np.where(mask, numbered, 0).astype(np.int32)


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
