"""What one micrograph adds to the scores of a set: counts that add up."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, LabelMap, ProbabilityMap
from defectkeras.core.labels import LabelScheme
from defectkeras.metrics import (
    BoundaryCounts,
    Counts,
    ReliabilityCounts,
    confusion_counts,
    count_boundaries,
    count_reliability,
    number_or_none,
    score_counts,
)
from defectkeras.metrics.ratios import divide
from defectkeras.quantification.agreement import match_objects
from defectkeras.quantification.objects import label_objects

MIN_IOU = 0.5
OBJECT_RULE = f"one to one, IoU at least {MIN_IOU}"

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Tallies:
    """Counts of one micrograph, or of several together.

    Attributes:
        pixels: (K, K) pixels by true (rows) and predicted class.
        boundaries: Of each class.
        objects: (K, 3) true, predicted and matched objects; 0 where a class has
            no objects.
        likeliest: Reliability of the likeliest class.
        classes: K reliabilities, of the probability of each class.
    """

    pixels: Counts
    boundaries: BoundaryCounts
    objects: Counts
    likeliest: ReliabilityCounts
    classes: tuple[ReliabilityCounts, ...]

    def __add__(self, other: "Tallies") -> "Tallies":
        """Pool two micrographs."""
        return Tallies(
            self.pixels + other.pixels,
            self.boundaries + other.boundaries,
            self.objects + other.objects,
            self.likeliest + other.likeliest,
            tuple(a + b for a, b in zip(self.classes, other.classes, strict=True)),
        )

    def class_rows(self, scheme: LabelScheme) -> list[Row]:
        """Give one row of scores for each class; None where there is none."""
        pixels = score_counts(self.pixels)
        true, predicted, matched = self.objects.T
        columns = {
            "iou": pixels.iou,
            "precision": pixels.precision,
            "recall": pixels.recall,
            "f1": pixels.f1,
            "boundary_precision": self.boundaries.precision,
            "boundary_recall": self.boundaries.recall,
            "boundary_f1": self.boundaries.f1,
            "object_precision": divide(matched, predicted),
            "object_recall": divide(matched, true),
            "object_f1": divide(2 * matched, true + predicted),
            "calibration_error": [c.expected_calibration_error for c in self.classes],
        }
        return [
            {
                "class_name": c.name,
                **{name: number_or_none(v[c.index]) for name, v in columns.items()},
                **_object_counts(self.objects[c.index], c.kind == "region"),
            }
            for c in scheme.classes
        ]


def _object_counts(counts: Counts, has_objects: bool) -> Row:
    names = ("objects_true", "objects_predicted", "objects_matched")
    values = counts.tolist() if has_objects else [None] * len(names)
    return dict(zip(names, values, strict=True))


def tally(
    true: ClassMap,
    predicted: ClassMap,
    probability_map: ProbabilityMap,
    scheme: LabelScheme,
    *,
    numbered: LabelMap | None = None,
    tolerance_px: float,
) -> Tallies:
    """Count how one micrograph's prediction agrees with its annotation.

    Args:
        true: (H, W) annotation, `NOT_ANNOTATED` among it.
        predicted: (H, W) class indices.
        probability_map: (H, W, K).
        scheme: The K classes.
        numbered: (H, W) object numbers of the annotation; None takes connected
            pixels for an object, as for the prediction.
        tolerance_px: Of the boundaries.
    """
    annotated = true != NOT_ANNOTATED
    seen = np.where(annotated, predicted, NOT_ANNOTATED).astype(np.int32)
    objects = np.zeros((scheme.num_classes, 3), np.int64)
    for defect_class in scheme.defects:
        if defect_class.kind == "region":
            index = defect_class.index
            match = match_objects(
                label_objects(true == index, numbered),
                label_objects(seen == index),
                min_iou=MIN_IOU,
            )
            counts = (match.true_count, match.predicted_count, match.true_positives)
            objects[index] = counts
    return Tallies(
        pixels=confusion_counts(true, predicted, num_classes=scheme.num_classes),
        boundaries=count_boundaries(
            true,
            predicted,
            num_classes=scheme.num_classes,
            tolerance_px=tolerance_px,
        ),
        objects=objects,
        likeliest=count_reliability(true, probability_map),
        classes=tuple(
            count_reliability(true, probability_map, index=c.index)
            for c in scheme.classes
        ),
    )
