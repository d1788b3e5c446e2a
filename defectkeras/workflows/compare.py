"""Annotators compared: people with people, models with people, versions."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from defectkeras.core.errors import DefectKerasError
from defectkeras.core.files import require_free, whole_folder, write_json
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.annotations.read import Hints
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.micrographs.read import read_micrograph
from defectkeras.quantification.comparison import Comparison, summarize_fields
from defectkeras.quantification.field_agreement import FieldAgreement, agree_on_field
from defectkeras.registry.engines.runtimes import engine_packages
from defectkeras.reporting.agreement_pictures import AgreementPicture, draw_agreement
from defectkeras.reporting.comparison_page import write_comparison_page
from defectkeras.reporting.comparison_tables import comparison_tables, to_json
from defectkeras.reporting.tables import write_table
from defectkeras.workflows.convert_annotations import micrograph_paths
from defectkeras.workflows.measure import run_facts
from defectkeras.workflows.operands import (
    Operand,
    common_scheme,
    find_operands,
)
from defectkeras.workflows.rated_field import RatedField, rate_field
from defectkeras.workflows.stale_results import stale_results

MIN_IOU = 0.5
PAGE = "comparison.html"
MAX_PICTURES = 12
"""A page shows so many fields."""


@dataclass(frozen=True)
class ComparisonRequest:
    """Who is compared, and what is known.

    Attributes:
        operands: Each a path, a model of the registry, or either behind "label=".
        hints: Label to what its files do not tell; "" for all others.
        classes: Names of the classes in the order of the index.
        micrographs: Files and folders; models need them, and they tell sizes.
        pixel_size_nm: In place of the files' own, or None.
        foil_thickness_nm: In place of the files' own, or None.
        machines: Labels of files that a model has made.
        min_iou: Smallest IoU of two objects that are the same one.
        registry_root: Folder of the registry; None takes the default.
    """

    operands: tuple[str, ...]
    hints: Mapping[str, Hints] = dataclasses.field(
        default_factory=lambda: {"": Hints()}
    )
    classes: tuple[str, ...] = ()
    micrographs: tuple[Path, ...] = ()
    pixel_size_nm: float | None = None
    foil_thickness_nm: float | None = None
    machines: tuple[str, ...] = ()
    min_iou: float = MIN_IOU
    registry_root: Path | None = None


@dataclass(frozen=True, eq=False)
class ComparisonPlan:
    """What a comparison would look at.

    Attributes:
        operands: Who is compared.
        scheme: The classes that all know.
        fields: The fields that all have annotated.
        files: Field to its micrograph, where there is one.
        notes: What is left out.
    """

    operands: tuple[Operand, ...]
    scheme: LabelScheme
    fields: tuple[str, ...]
    files: Mapping[str, Path]
    notes: tuple[str, ...]


def plan_comparison(request: ComparisonRequest) -> ComparisonPlan:
    """Find the annotators and the fields that all of them have annotated.

    Args:
        request: Who is compared.

    Raises:
        DefectKerasError: When an operand is nothing, or no field is common.
    """
    operands = find_operands(
        request.operands,
        hints=request.hints,
        classes=request.classes,
        machines=request.machines,
        registry_root=request.registry_root,
    )
    files = micrograph_paths(request.micrographs)
    known = [set(o.fields) if o.segmenter is None else set(files) for o in operands]
    common = set.intersection(*known)
    if not common:
        told = "; ".join(
            f"{o.annotator.label}: {', '.join(sorted(k)[:3]) or 'none'}"
            for o, k in zip(operands, known, strict=True)
        )
        raise DefectKerasError(
            "At least one field must be there for all, under the name of its "
            f"micrograph. Received: {told}. A model needs --micrographs."
        )
    scheme = common_scheme(operands)
    notes = list(_left_out(operands, known, common, scheme))
    if files and (lost := sorted(common - set(files))):
        more = ", ..." if len(lost) > 5 else ""
        notes.append(
            "Without a micrograph of their name among those given: "
            f"{', '.join(lost[:5])}{more} ({len(lost)})."
        )
    notes += _stale(operands, sorted(common), files)
    return ComparisonPlan(
        tuple(operands), scheme, tuple(sorted(common)), files, tuple(notes)
    )


def compare(
    request: ComparisonRequest,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    on_field: Callable[[str, Micrograph | None, RatedField], None] | None = None,
) -> Comparison:
    """Compare annotators field by field.

    Args:
        request: Who is compared.
        on_progress: Called with the number of fields done and of all.
        on_field: Called with each field, its micrograph, and what all say of it.

    Raises:
        DefectKerasError: When something cannot be read or does not fit together.
    """
    plan = plan_comparison(request)
    fields: list[FieldAgreement] = []
    notes = list(plan.notes)
    for name in plan.fields:
        file = plan.files.get(name)
        micrograph = None if file is None else _read(file, request)
        rated = rate_field(
            name,
            plan.operands,
            plan.scheme,
            micrograph,
            pixel_size_nm=request.pixel_size_nm,
            foil_thickness_nm=request.foil_thickness_nm,
        )
        notes += rated.notes
        fields.append(
            agree_on_field(name, rated.ratings, plan.scheme, min_iou=request.min_iou)
        )
        if on_field is not None:
            on_field(name, micrograph, rated)
        if on_progress is not None:
            on_progress(len(fields), len(plan.fields))
    return summarize_fields(
        fields,
        [o.annotator for o in plan.operands],
        plan.scheme,
        min_iou=request.min_iou,
        notes=notes,
    )


def compare_into_folder(
    request: ComparisonRequest,
    folder: Path,
    *,
    overwrite: bool = False,
    command: str = "",
    on_progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Compare annotators and write tables, figures and a page, whole or not at all.

    Args:
        request: Who is compared.
        folder: For comparison.html, comparison.json, a CSV file for each table
            and figures/.
        overwrite: Whether an older folder gives way.
        command: What was typed, for the page.
        on_progress: Called with the number of fields done and of all.

    Raises:
        DefectKerasError: When something does not fit, or the folder is there.
    """
    require_free(folder, overwrite=overwrite)
    pictures: list[AgreementPicture] = []

    def draw(name: str, micrograph: Micrograph | None, rated: RatedField) -> None:
        """Keep pictures of the first fields, not their maps."""
        if len(pictures) < MAX_PICTURES:
            pictures.append(
                draw_agreement(
                    name,
                    None
                    if micrograph is None
                    else normalize_percentile(micrograph.pixels),
                    {label: r.class_map for label, r in rated.ratings.items()},
                    next(iter(rated.ratings.values())).quantification.scheme,
                    calibration=rated.calibration,
                )
            )

    comparison = compare(request, on_progress=on_progress, on_field=draw)
    told = {k: v for k, v in dataclasses.asdict(request).items() if v not in (None, ())}
    labels = {label or "all": of for label, of in told.pop("hints").items()}
    settings = told | {"annotations": labels}
    has_model = any(a.is_model for a in comparison.annotators)
    run = run_facts(
        model=None,
        settings=settings,
        command=command,
        engine=engine_packages("tensorflow") if has_model else (),
    )
    with whole_folder(folder, replace=overwrite) as temporary:
        for name, table in comparison_tables(comparison).items():
            write_table(table, temporary / f"{name}.csv")
        write_json(temporary / "comparison.json", to_json(comparison))
        write_comparison_page(comparison, run, temporary / PAGE, pictures=pictures)
    return comparison


def _read(path: Path, request: ComparisonRequest) -> Micrograph:
    return read_micrograph(
        path,
        pixel_size_nm=request.pixel_size_nm,
        foil_thickness_nm=request.foil_thickness_nm,
    )


def _stale(
    operands: Sequence[Operand], names: Sequence[str], files: Mapping[str, Path]
) -> list[str]:
    """Say which fields may be results of other files."""
    notes = []
    results = [o for o in operands if o.segmenter is None]
    for operand in results:
        found = stale_results([operand.fields[n] for n in names], files)
        notes += [
            f"{operand.annotator.label}: {n} is {why}" for n, why in found.items()
        ]
    for name in names:
        told = {o.fields[name].sha256 for o in results} - {None}
        if len(told) > 1:
            notes.append(f"{name}: the results compared are of different files.")
    return notes


def _left_out(
    operands: Sequence[Operand],
    known: Sequence[set[str]],
    common: set[str],
    scheme: LabelScheme,
) -> list[str]:
    """Say which fields and classes not all annotators have."""
    notes = []
    shared = {c.name for c in scheme.defects}
    for operand, names in zip(operands, known, strict=True):
        label = operand.annotator.label
        if rest := sorted(names - common):
            more = ", ..." if len(rest) > 5 else ""
            notes.append(
                f"{label}: left out, as not all have them: "
                f"{', '.join(rest[:5])}{more} ({len(rest)})."
            )
        if others := [c.name for c in operand.scheme.defects if c.name not in shared]:
            notes.append(
                f"{label}: not all know {', '.join(others)}, which counts as matrix."
            )
    return notes
