"""Annotators over a set of fields: counts, differences, agreement, spread.

An annotator is a person or a model. No one is the truth: a difference has no sign of
better or worse.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from defectkeras.core.labels import LabelScheme
from defectkeras.quantification.bland_altman import BlandAltman, bland_altman
from defectkeras.quantification.field_agreement import FieldAgreement
from defectkeras.quantification.human_spread import (
    QuantitySpread,
    agreement_spread,
    quantity_spread,
)
from defectkeras.quantification.paired_tests import (
    PairedTests,
    holm_adjusted,
    paired_tests,
)
from defectkeras.quantification.runs import Floats
from defectkeras.quantification.settings import QuantifySettings

TELLING = (
    "count",
    "line_count",
    "areal_density_per_m2",
    "areal_density_per_px2",
    "number_density_per_m3",
    "area_fraction_percent",
    "mean_{size}_nm",
    "mean_{size}_px",
    "line_length_nm",
    "line_length_px",
    "drawn_line_length_nm",
    "drawn_line_length_px",
    "dislocation_density_per_m2",
)
"""The quantities that are compared; the tables of each annotator have the others.

`size` is what counts as the diameter in the class, which the defaults say for all."""

_COUNTS = {"region": "count", "line": "line_count"}
"""What is counted of each kind: lines, not the networks that they form."""

_IN_NM = {"_px2": "_m2", "_px": "_nm"}


@dataclass(frozen=True)
class Annotator:
    """Who says something.

    Attributes:
        label: How it is called.
        is_model: Whether it is a model, and not a person.
        source: Where it comes from.
    """

    label: str
    is_model: bool = False
    source: str = ""


@dataclass(frozen=True, eq=False)
class PairedDifference:
    """One quantity of one class, two annotators, all fields.

    Attributes:
        class_name: The class.
        name: The quantity.
        unit: Its unit.
        first: Label of the first annotator.
        second: Label of the second.
        fields: Names of the fields in which both have a value.
        values: (2, N) values of the first and of the second.
        limits: Bias and limits of agreement, or None with fewer than two fields.
        tests: The paired tests.
        holm_p: p of the signed ranks, adjusted for all tests of the comparison.
    """

    class_name: str
    name: str
    unit: str
    first: str
    second: str
    fields: tuple[str, ...]
    values: Floats
    limits: BlandAltman | None
    tests: PairedTests
    holm_p: float | None = None

    @property
    def difference_percent(self) -> float | None:
        """Mean of the second over mean of the first, as a difference in percent."""
        first, second = self.values.mean(axis=1)
        return float(100 * (second / first - 1)) if first else None


@dataclass(frozen=True, eq=False)
class Comparison:
    """All that a comparison gives.

    Attributes:
        annotators: In the order of the user.
        scheme: The classes that all of them know.
        fields: Names of the fields that all of them have annotated.
        min_iou: Smallest IoU of two objects that are the same one.
        values: One row for each field, annotator, class and quantity.
        pixels: One row for each field, pair and class.
        objects: One row for each field, pair and class.
        kappas: One row for each field and pair, and for all annotators.
        differences: One for each pair, class and telling quantity.
        spreads: Whether each model lies within the people, where there are two.
        notes: What a reader should know, one sentence each.
    """

    annotators: tuple[Annotator, ...]
    scheme: LabelScheme
    fields: tuple[str, ...]
    min_iou: float
    values: pd.DataFrame
    pixels: pd.DataFrame
    objects: pd.DataFrame
    kappas: pd.DataFrame
    differences: tuple[PairedDifference, ...]
    spreads: tuple[QuantitySpread, ...]
    notes: tuple[str, ...] = ()

    def count_table(self) -> pd.DataFrame:
        """Give the counts: one row for each class, a column for each annotator.

        Of a line class its lines are counted, continued straight through crossings.

        For each annotator after the first, `difference_percent LABEL` is its count
        over that of the first, minus one, in percent.
        """
        rows: list[dict[str, Any]] = []
        for defect_class in self.scheme.defects:
            own = self.values[
                (self.values["class_name"] == defect_class.name)
                & (self.values["name"] == _COUNTS[defect_class.kind])
            ]
            sums = own.groupby("label")["value"].sum()
            row: dict[str, Any] = {"class_name": defect_class.name}
            row |= {a.label: int(sums.get(a.label, 0)) for a in self.annotators}
            first = row[self.annotators[0].label]
            for annotator in self.annotators[1:]:
                name = f"difference_percent {annotator.label}"
                more = row[annotator.label] - first
                row[name] = 100 * more / first if first else None
            rows.append(row)
        return pd.DataFrame(rows)

    def pair_table(self) -> pd.DataFrame:
        """Give the agreement of each pair and class over all fields together.

        IoU, precision, recall and F1 are of the sums over the fields.
        """
        keys = ["first", "second", "class_name"]
        pixels = self.pixels.groupby(keys, sort=False)[["intersection_px", "union_px"]]
        sums = pixels.sum().reset_index()
        sums["pixel_iou"] = sums["intersection_px"] / sums["union_px"].replace(
            0, np.nan
        )
        table = sums[[*keys, "pixel_iou"]]
        if len(self.objects):
            names = ["first_count", "second_count", "matched"]
            objects = self.objects.groupby(keys, sort=False)[names].sum().reset_index()
            found = objects["matched"]
            both = objects["first_count"] + objects["second_count"]
            objects["precision"] = found / objects["second_count"].replace(0, np.nan)
            objects["recall"] = found / objects["first_count"].replace(0, np.nan)
            objects["f1"] = 2 * found / both.replace(0, np.nan)
            table = table.merge(objects, on=keys, how="left")
        return table

    def kappa_table(self) -> pd.DataFrame:
        """Give mean, lowest and highest kappa over the fields."""
        keys = ["statistic", "first", "second"]
        kappas = self.kappas.astype({"kappa": "float64"}).groupby(keys, sort=False)
        return kappas["kappa"].agg(["mean", "min", "max"]).reset_index()


def summarize_fields(
    fields: Sequence[FieldAgreement],
    annotators: Sequence[Annotator],
    scheme: LabelScheme,
    *,
    min_iou: float,
    notes: Sequence[str] = (),
) -> Comparison:
    """Put the fields together.

    Args:
        fields: What `agree_on_field` gave for each.
        annotators: In the order of the user.
        scheme: The classes that all know.
        min_iou: As for each field.
        notes: What a reader should know.

    Returns:
        The comparison; one row for one fact in its tables.
    """
    values = pd.DataFrame([row for f in fields for row in f.values])
    pixels = pd.DataFrame([row for f in fields for row in f.pixels])
    objects = pd.DataFrame([row for f in fields for row in f.objects])
    kappas = pd.DataFrame([row for f in fields for row in f.kappas])
    differences = _differences(values, annotators, scheme)
    people = [a.label for a in annotators if not a.is_model]
    models = [a.label for a in annotators if a.is_model]
    spreads: list[QuantitySpread] = []
    if len(people) >= 2:
        for (class_name, name), own in _telling_values(values, scheme):
            table = own.pivot(index="field", columns="label", values="value")
            spreads += quantity_spread(table, people, models, class_name, name)
        spreads += agreement_spread(pixels, "iou", people, models)
        if len(objects):
            spreads += agreement_spread(objects, "f1", people, models)
    return Comparison(
        annotators=tuple(annotators),
        scheme=scheme,
        fields=tuple(dict.fromkeys(values["field"])),
        min_iou=min_iou,
        values=values,
        pixels=pixels,
        objects=objects,
        kappas=kappas,
        differences=tuple(differences),
        spreads=tuple(spreads),
        notes=tuple(notes),
    )


def _telling_values(
    values: pd.DataFrame, scheme: LabelScheme
) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Give the values of each class and telling quantity; px only without nm."""
    found = []
    for defect_class in scheme.defects:
        own = values[values["class_name"] == defect_class.name]
        names = set(own["name"])
        if defect_class.kind == "line":
            names.discard(_COUNTS["region"])
        size = QuantifySettings().size_of(defect_class.name)
        for name in (telling.format(size=size) for telling in TELLING):
            partner = next(
                (
                    name.removesuffix(e) + nm
                    for e, nm in _IN_NM.items()
                    if name.endswith(e)
                ),
                None,
            )
            if name in names and partner not in names:
                found.append(((defect_class.name, name), own[own["name"] == name]))
    return found


def _differences(
    values: pd.DataFrame, annotators: Sequence[Annotator], scheme: LabelScheme
) -> list[PairedDifference]:
    """Give the differences of all pairs, with p adjusted for their number."""
    found = []
    for (class_name, name), own in _telling_values(values, scheme):
        table = own.pivot(index="field", columns="label", values="value")
        for first, second in itertools.combinations([a.label for a in annotators], 2):
            if first in table and second in table:
                pair = table[[first, second]].dropna()
                pairs = pair.to_numpy(dtype=np.float64).T
                found.append(
                    PairedDifference(
                        class_name=class_name,
                        name=name,
                        unit=str(own["unit"].iloc[0]),
                        first=first,
                        second=second,
                        fields=tuple(str(f) for f in pair.index),
                        values=pairs,
                        limits=bland_altman(pairs[0], pairs[1]),
                        tests=paired_tests(pairs[0], pairs[1]),
                    )
                )
    tested = [d.tests.wilcoxon_p for d in found if d.tests.wilcoxon_p is not None]
    adjusted = iter(holm_adjusted(tested))
    return [
        d if d.tests.wilcoxon_p is None else replace(d, holm_p=next(adjusted))
        for d in found
    ]
