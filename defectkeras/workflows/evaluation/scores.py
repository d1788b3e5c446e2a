"""How well a split was segmented: scores per micrograph and pooled."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pandas as pd

from defectkeras.core.labels import LabelScheme
from defectkeras.metrics import mean_iou_over_images, number_or_none, score_counts
from defectkeras.quantification.size_distances import (
    SizeDistance,
    Sizes,
    compare_sizes,
    pool_sizes,
)
from defectkeras.reporting.tables import plain_rows
from defectkeras.workflows.evaluation.tallies import OBJECT_RULE, Row, Tallies

POOLED = "(pooled)"
"""In place of a micrograph's name, where all micrographs are taken as one."""


@dataclass(frozen=True, eq=False)
class ExampleEvaluation:
    """How well one example was segmented.

    Attributes:
        name: Of the example.
        tallies: Its counts.
        quantities: True and predicted quantities, side by side.
        sizes: Region class to true and predicted sizes.
    """

    name: str
    tallies: Tallies
    quantities: pd.DataFrame
    sizes: Mapping[str, tuple[Sizes, Sizes]]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How well a split was segmented.

    Attributes:
        model: Reference of the version, or the name of a method without a network.
        sha256: Of the version; None for such a method.
        dataset_name: Name of the data spec.
        split: "train", "val" or "test".
        scheme: The classes.
        tolerance_px: How far a boundary may be off.
        examples: One for each micrograph.
        learned_from: Names of those that the version has learned from.
    """

    model: str
    sha256: str | None
    dataset_name: str
    split: str
    scheme: LabelScheme
    tolerance_px: float
    examples: tuple[ExampleEvaluation, ...]
    learned_from: tuple[str, ...] = ()

    @property
    def pooled(self) -> Tallies:
        """The counts of all micrographs together."""
        return reduce(add, (e.tallies for e in self.examples))

    def scores(self) -> pd.DataFrame:
        """Give pixel, boundary, object and calibration scores.

        Returns:
            One row per micrograph and class, and the pooled ones at the end.
        """
        parts = [(e.name, e.tallies) for e in self.examples]
        return pd.DataFrame(
            {"micrograph": name, **row}
            for name, tallies in [*parts, (POOLED, self.pooled)]
            for row in tallies.class_rows(self.scheme)
        )

    def quantities(self) -> pd.DataFrame:
        """Give true and predicted quantities of all examples, one row each."""
        return pd.concat(
            [e.quantities.assign(micrograph=e.name) for e in self.examples],
            ignore_index=True,
        )

    def pooled_sizes(self) -> dict[tuple[str, str], tuple[Sizes, Sizes]]:
        """Give the sizes of all micrographs by region class and unit."""
        units = sorted({s.unit for e in self.examples for s, _ in e.sizes.values()})
        pooled = {}
        for defect_class in self.scheme.defects:
            for unit in units:
                pairs = [
                    e.sizes[defect_class.name]
                    for e in self.examples
                    if defect_class.kind == "region"
                    and e.sizes[defect_class.name][0].unit == unit
                ]
                if pairs:
                    true, predicted = zip(*pairs, strict=True)
                    both = pool_sizes(true), pool_sizes(predicted)
                    pooled[defect_class.name, unit] = both
        return pooled

    def sizes(self) -> pd.DataFrame:
        """Give the distances of true and predicted size distributions.

        Returns:
            One row per micrograph and region class, and the pooled ones at the
            end (one for each unit); none where all classes are lines.
        """
        pairs = [
            (e.name, name, p) for e in self.examples for name, p in e.sizes.items()
        ]
        pairs += [(POOLED, name, p) for (name, _), p in self.pooled_sizes().items()]
        rows = [
            {"micrograph": micrograph, "class_name": name, **asdict(compare_sizes(*p))}
            for micrograph, name, p in pairs
        ]
        distances = (f.name for f in fields(SizeDistance))
        return pd.DataFrame(rows, columns=["micrograph", "class_name", *distances])

    def reliability(self) -> pd.DataFrame:
        """Give the pooled reliability curves.

        Returns:
            One row per class and bin of probability; the class of the first
            curve is empty, it is that of the likeliest class.
        """
        pooled = self.pooled
        curves = {"": pooled.likeliest}
        curves |= {c.name: pooled.classes[c.index] for c in self.scheme.classes}
        tables = [
            pd.DataFrame(
                {
                    "class_name": name,
                    "bin": np.arange(1, len(curve.pixels) + 1),
                    "pixels": curve.pixels,
                    "right": curve.right,
                    "mean_probability": curve.mean_probability,
                    "frequency": curve.frequency,
                }
            )
            for name, curve in curves.items()
        ]
        return pd.concat(tables, ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """Give all scores, ready for JSON."""
        names = [c.name for c in self.scheme.classes]
        counts = np.stack([e.tallies.pixels for e in self.examples])
        means = zip(names, mean_iou_over_images(counts), strict=True)
        pooled, sizes = self._summarize(self.pooled), self.sizes()
        return {
            "model": self.model,
            "sha256": self.sha256,
            "dataset": self.dataset_name,
            "split": self.split,
            "micrographs": [e.name for e in self.examples],
            "learned_from": list(self.learned_from),
            "tolerance_px": self.tolerance_px,
            "object_rule": OBJECT_RULE,
            "pixels_pooled": pooled.pop("pixels"),
            "mean_iou_over_images": {name: number_or_none(iou) for name, iou in means},
            **pooled,
            "quantities": self._quantity_errors(),
            "sizes": _rows(sizes, POOLED),
            "per_micrograph": [
                {
                    "micrograph": e.name,
                    **self._summarize(e.tallies),
                    "quantities": plain_rows(e.quantities),
                    "sizes": _rows(sizes, e.name),
                }
                for e in self.examples
            ],
        }

    def _summarize(self, tallies: Tallies) -> dict[str, Any]:
        """Give the scores of one micrograph, or of all together."""
        error = tallies.likeliest.expected_calibration_error
        names = [c.name for c in self.scheme.classes]
        return {
            "pixels": score_counts(tallies.pixels).to_dict(names),
            "calibration_error": number_or_none(error),
            "classes": {r["class_name"]: r for r in tallies.class_rows(self.scheme)},
        }

    def _quantity_errors(self) -> list[Row]:
        """Give mean error and mean absolute error of each quantity, in percent."""
        rows = []
        groups = self.quantities().groupby(["class_name", "name", "unit"], sort=False)
        for (class_name, name, unit), group in groups:
            errors = 100 * group["relative_error"].dropna()
            reasons = group["reason"][group["reason"] != ""]
            rows.append(
                {
                    "class_name": class_name,
                    "name": name,
                    "unit": unit,
                    "micrographs": len(errors),
                    "mean_error_percent": number_or_none(errors.mean()),
                    "mean_absolute_error_percent": number_or_none(errors.abs().mean()),
                    "mean_absolute_difference": number_or_none(
                        group["difference"].abs().mean()
                    ),
                    "reason": None if errors.size else "; ".join(reasons.unique()),
                }
            )
        return rows


def _rows(sizes: pd.DataFrame, micrograph: str) -> list[Row]:
    """Give the rows of one micrograph for JSON."""
    own = sizes[sizes["micrograph"] == micrograph]
    return plain_rows(own.drop(columns="micrograph"))
