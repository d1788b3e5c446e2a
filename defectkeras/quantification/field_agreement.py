"""One field, several annotators: who agrees with whom on pixels and on objects."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, LabelMap, Mask
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.metrics import confusion_counts
from defectkeras.quantification.agreement import ObjectMatch, match_objects
from defectkeras.quantification.kappa import cohen_kappa, fleiss_kappa
from defectkeras.quantification.line_agreement import find_lines, match_lines
from defectkeras.quantification.objects import label_objects
from defectkeras.quantification.results import Quantification

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Rating:
    """What one annotator, a person or a model, says about a field.

    Attributes:
        class_map: (H, W) class indices.
        quantification: What was measured in it.
        label_map: (H, W) object numbers where touching objects are told apart;
            None takes connected pixels.
        drawn_lengths: Class to the length of its lines as drawn, in the unit of
            the quantification (nm, else px).
    """

    class_map: ClassMap
    quantification: Quantification
    label_map: LabelMap | None = None
    drawn_lengths: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class FieldAgreement:
    """Rows of four tables about one field.

    Attributes:
        values: One for each annotator and quantity.
        pixels: One for each pair and class: intersection and union.
        objects: One for each pair and class: matches.
        kappas: Cohen's for each pair and Fleiss' for all.
    """

    values: tuple[Row, ...]
    pixels: tuple[Row, ...]
    objects: tuple[Row, ...]
    kappas: tuple[Row, ...]


def agree_on_field(
    name: str,
    ratings: Mapping[str, Rating],
    scheme: LabelScheme,
    *,
    min_iou: float,
) -> FieldAgreement:
    """Compare what annotators say about one field, pair by pair.

    Pixels count where both have annotated. Objects are matched one to one by
    `match_objects`, lines by `match_lines`.

    Args:
        name: Of the field.
        ratings: Label of each annotator to what it says, maps (H, W).
        scheme: The classes that all know.
        min_iou: Smallest IoU of two objects that are the same one.
    """
    pixels: list[Row] = []
    objects: list[Row] = []
    kappas: list[Row] = []
    for first, second in itertools.combinations(ratings, 2):
        pair = {"field": name, "first": first, "second": second}
        one, other = ratings[first], ratings[second]
        seen = (one.class_map != NOT_ANNOTATED) & (other.class_map != NOT_ANNOTATED)
        counts = confusion_counts(
            np.where(seen, one.class_map, NOT_ANNOTATED),
            np.where(seen, other.class_map, 0),
            num_classes=scheme.num_classes,
        )
        kappas.append(pair | {"statistic": "cohen", "kappa": cohen_kappa(counts)})
        for defect_class in scheme.defects:
            about = pair | {"class_name": defect_class.name}
            pixels.append(about | _overlap(counts, defect_class.index))
            match = _match(one, other, defect_class, seen, min_iou)
            objects.append(about | _matches(match))
    maps = [rating.class_map for rating in ratings.values()]
    everyone = {"field": name, "first": ", ".join(ratings), "second": ""}
    fleiss = fleiss_kappa(maps, scheme.num_classes)
    kappas.append(everyone | {"statistic": "fleiss", "kappa": fleiss})
    values = [
        {"field": name, "label": label} | row
        for label, rating in ratings.items()
        for row in _values(rating, scheme)
    ]
    return FieldAgreement(tuple(values), tuple(pixels), tuple(objects), tuple(kappas))


def _overlap(counts: Any, index: int) -> Row:
    both = int(counts[index, index])
    either = int(counts[index].sum() + counts[:, index].sum()) - both
    return {
        "intersection_px": both,
        "union_px": either,
        "iou": both / either if either else None,
    }


def _match(
    one: Rating, other: Rating, defect_class: DefectClass, seen: Mask, min_iou: float
) -> ObjectMatch:
    """Match regions by their pixels, and lines by their middles."""
    drawn = [
        ((rating.class_map == defect_class.index) & seen, rating.label_map)
        for rating in (one, other)
    ]
    if defect_class.kind == "line":
        return match_lines(*(find_lines(*own) for own in drawn))
    return match_objects(*(label_objects(*own) for own in drawn), min_iou=min_iou)


def _matches(match: ObjectMatch) -> Row:
    return {
        "first_count": match.true_count,
        "second_count": match.predicted_count,
        "matched": match.true_positives,
        "precision": match.precision,
        "recall": match.recall,
        "f1": match.f1,
        "mean_iou": match.mean_iou,
    }


def _values(rating: Rating, scheme: LabelScheme) -> list[Row]:
    known = {c.name for c in scheme.defects}
    rows: list[Row] = [
        {
            "class_name": q.class_name,
            "name": q.name,
            "unit": q.unit,
            "value": q.value,
            "low": q.low,
            "high": q.high,
        }
        for q in rating.quantification.quantities
        if q.class_name in known and q.value is not None
    ]
    unit = "px" if rating.quantification.calibration.pixel_size_nm is None else "nm"
    for class_name, length in rating.drawn_lengths.items():
        row: Row = {"class_name": class_name, "name": f"drawn_line_length_{unit}"}
        rows.append(row | {"unit": unit, "value": length, "low": None, "high": None})
    return rows
