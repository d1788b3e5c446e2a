"""One field of a comparison: what all say of the area that all have annotated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, LabelMap
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.annotations.read import Annotation
from defectkeras.quantification.field_agreement import Rating
from defectkeras.quantification.quantify import quantify
from defectkeras.workflows.operands import Operand, to_scheme


@dataclass(frozen=True, eq=False)
class RatedField:
    """A field with what all annotators say of it.

    Attributes:
        ratings: Label of each annotator to what it says.
        calibration: Of the first annotator.
        notes: What a reader should know, one sentence each.
    """

    ratings: Mapping[str, Rating]
    calibration: Calibration
    notes: tuple[str, ...]


def rate_field(
    name: str,
    operands: Sequence[Operand],
    scheme: LabelScheme,
    micrograph: Micrograph | None,
    *,
    pixel_size_nm: float | None = None,
    foil_thickness_nm: float | None = None,
) -> RatedField:
    """Read what all annotators say of a field, and measure it.

    All are measured over the pixels that every one of them has annotated: a person
    who has looked at half of the field has not missed what lies in the other half.

    Args:
        name: Of the field.
        operands: The annotators.
        scheme: The classes that all know.
        micrograph: Of the field; a model needs it.
        pixel_size_nm: In place of the files' own, or None.
        foil_thickness_nm: In place of the files' own, or None.

    Raises:
        DefectKerasError: When a file cannot be read, or the annotations have no size
            or no pixel in common.
    """
    read = {o.annotator.label: o.read(name, micrograph) for o in operands}
    class_maps = {
        o.annotator.label: to_scheme(
            read[o.annotator.label].class_map, o.scheme, scheme
        )
        for o in operands
    }
    _require_one_shape(name, class_maps)
    unseen = np.any([m == NOT_ANNOTATED for m in class_maps.values()], axis=0)
    if unseen.all():
        raise DefectKerasError(f"{name}: no pixel is annotated by all.")
    cut = {k for k, m in class_maps.items() if (m[unseen] != NOT_ANNOTATED).any()}
    notes = list(_overlaps(name, read))
    if cut:
        notes.append(
            f"{name}: not all have annotated all of it, so everybody counts and "
            f"measures over the {100 * (1 - unseen.mean()):.0f} % that all have."
        )
    ratings, calibrations = {}, []
    for operand in operands:
        label = operand.annotator.label
        field = operand.fields.get(name)
        source = micrograph or field
        known = source.calibration if source else Calibration()
        calibration = known.with_told(pixel_size_nm, foil_thickness_nm)
        calibrations.append(calibration)
        size_nm = calibration.pixel_size_nm or 1.0
        drawn = {} if label in cut else read[label].drawn_lengths_px
        class_map = np.where(unseen, NOT_ANNOTATED, class_maps[label])
        label_map = _numbers(read[label], operand.scheme)
        ratings[label] = Rating(
            class_map=class_map,
            quantification=quantify(
                class_map, scheme, calibration, label_map=label_map
            ),
            label_map=label_map,
            drawn_lengths={n: px * size_nm for n, px in drawn.items()},
        )
    return RatedField(ratings, calibrations[0], tuple(notes))


def _numbers(annotation: Annotation, scheme: LabelScheme) -> LabelMap | None:
    """Give the numbers of objects, and 0 on lines that only outlines show."""
    outlined = [scheme.by_name(name).index for name in annotation.outlined_lines]
    if annotation.label_map is None or not outlined:
        return annotation.label_map
    is_outlined = np.isin(annotation.class_map, outlined)
    return np.where(is_outlined, 0, annotation.label_map).astype(np.int32)


def _overlaps(name: str, read: Mapping[str, Annotation]) -> list[str]:
    """Say where objects lie under others."""
    return [
        f"{label}, {name}: {annotation.overlapping} objects lie under others, "
        f"{annotation.hidden} of them wholly; the upper ones count."
        for label, annotation in read.items()
        if annotation.overlapping
    ]


def _require_one_shape(name: str, class_maps: Mapping[str, ClassMap]) -> None:
    shapes = {label: class_map.shape for label, class_map in class_maps.items()}
    if len(set(shapes.values())) > 1:
        told = ", ".join(f"{label} {shape}" for label, shape in shapes.items())
        raise DefectKerasError(
            f"{name}: all annotations must have one height and width. Received: {told}."
        )
