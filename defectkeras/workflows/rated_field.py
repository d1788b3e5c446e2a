"""One field of a comparison: what all say of the area that all have annotated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, LabelMap
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.core.plurals import counted
from defectkeras.micrographs.annotations.read import Annotation
from defectkeras.quantification.field_agreement import Rating
from defectkeras.quantification.quantify import quantify
from defectkeras.workflows.annotated import calibration_of_map
from defectkeras.workflows.operands import Operand, to_scheme

_SAME = 1.001
"""Sizes whose ratio is below this are one, rounded by two tools."""


@dataclass(frozen=True, eq=False)
class RatedField:
    """A field with what all annotators say of it.

    Attributes:
        ratings: Label of each annotator to what it says.
        calibration: One for all annotators.
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
        DefectKerasError: When a file cannot be read, or the annotations have no size,
            no pixel size or no pixel in common.
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
    known = Calibration() if micrograph is None else micrograph.calibration
    calibration = _completed(
        known.with_told(pixel_size_nm, foil_thickness_nm), name, operands
    )
    size_nm = calibration.pixel_size_nm or 1.0
    ratings = {}
    for operand in operands:
        label = operand.annotator.label
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
    return RatedField(ratings, calibration, tuple(notes))


def _completed(
    calibration: Calibration, name: str, operands: Sequence[Operand]
) -> Calibration:
    """Add what is not known from the annotators' files, which must agree.

    All have annotated one micrograph, so what one of them tells is true of all.
    """
    told = {}
    for operand in operands:
        if field := operand.fields.get(name):
            known = (calibration.pixel_size_nm, calibration.foil_thickness_nm)
            own = field.calibration if field.scheme else None
            told[operand.annotator.label] = own or calibration_of_map(
                field.path, *known
            )
    for what in ("pixel_size", "foil_thickness"):
        sizes_nm = {k: getattr(c, f"{what}_nm") for k, c in told.items()}
        sizes_nm = {k: size_nm for k, size_nm in sizes_nm.items() if size_nm}
        if getattr(calibration, f"{what}_nm") is not None or not sizes_nm:
            continue
        if max(sizes_nm.values()) > _SAME * min(sizes_nm.values()):
            received = ", ".join(f"{k} {v} nm" for k, v in sizes_nm.items())
            raise DefectKerasError(
                f"{name}: all annotators must tell one {what.replace('_', ' ')}. "
                f"Received: {received}. Give it with --{what.replace('_', '-')}-nm."
            )
        source = told[next(iter(sizes_nm))]
        names = [f"{what}{end}" for end in ("_nm", "_source", "_sigma_nm")]
        calibration = replace(calibration, **{n: getattr(source, n) for n in names})
    return calibration


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
        f"{label}, {name}: others lie over {counted(annotation.overlapping, 'object')} "
        f"and hide {annotation.hidden} wholly; the upper ones count."
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
