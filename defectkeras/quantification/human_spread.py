"""Whether a model lies within the spread of the people.

Two rules, for two people or more:

- Quantities: the mean over the fields lies between the lowest and the highest such
  mean of the people. Beside it stands the share of fields in which the model lies
  within the people's range; one more person like them would in (m - 1) / (m + 1) of
  the fields, m the number of people, as each rank is equally likely.
- Agreement: the model's lowest mean agreement with a person is at least the lowest
  mean agreement of two people.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class QuantitySpread:
    """One model, one class, one quantity or measure of agreement.

    Attributes:
        model: Label of the model.
        class_name: The class.
        name: The quantity, or "pixel_iou" or "object_f1".
        model_mean: Its mean over the fields; of an agreement the mean with the
            person with whom it agrees least.
        people_low: Lowest mean of the people, or of two of them.
        people_high: Highest.
        is_within: What the rule says.
        share_percent: Fields in which the model lies within the people's range;
            None for an agreement.
        expected_percent: The share for one more person like them.
    """

    model: str
    class_name: str
    name: str
    model_mean: float
    people_low: float
    people_high: float
    is_within: bool
    share_percent: float | None = None
    expected_percent: float | None = None


def quantity_spread(
    table: pd.DataFrame,
    people: Sequence[str],
    models: Sequence[str],
    class_name: str,
    name: str,
) -> list[QuantitySpread]:
    """Say whether models lie within the people by a quantity.

    Args:
        table: One row for each field, one column for each label.
        people: Labels of two people or more.
        models: Labels of the models.
        class_name: The class.
        name: The quantity.

    Example:
        >>> table = pd.DataFrame({"a": [9, 12], "b": [11, 10], "net": [10, 14]})
        >>> (spread,) = quantity_spread(table, ["a", "b"], ["net"], "void", "count")
        >>> spread.model_mean, spread.people_high, spread.is_within
        (12.0, 10.5, False)
        >>> spread.share_percent, round(spread.expected_percent, 1)
        (50.0, 33.3)
    """
    spreads = []
    for model in models:
        if not {model, *people} <= set(table.columns):
            continue
        known = table[[model, *people]].dropna()
        if known.empty:
            continue
        of_people = known[list(people)]
        means = of_people.mean()
        low, high = float(means.min()), float(means.max())
        mean = float(known[model].mean())
        inside = (known[model] >= of_people.min(axis=1)) & (
            known[model] <= of_people.max(axis=1)
        )
        count = len(people)
        spreads.append(
            QuantitySpread(
                model=model,
                class_name=class_name,
                name=name,
                model_mean=mean,
                people_low=low,
                people_high=high,
                is_within=low <= mean <= high,
                share_percent=float(100 * inside.mean()),
                expected_percent=100 * (count - 1) / (count + 1),
            )
        )
    return spreads


def agreement_spread(
    rows: pd.DataFrame, column: str, people: Sequence[str], models: Sequence[str]
) -> list[QuantitySpread]:
    """Say whether models agree with people as well as people with each other.

    Args:
        rows: One for each field, pair (first, second) and class_name.
        column: "iou" of pixels or "f1" of objects.
        people: Labels of two people or more.
        models: Labels of the models.
    """
    name = {"iou": "pixel_iou", "f1": "object_f1"}[column]
    scores = rows.astype({column: "float64"})
    means = scores.groupby(["class_name", "first", "second"])[column].mean()
    spreads = []
    for class_name, model in itertools.product(
        dict.fromkeys(rows["class_name"]), models
    ):
        by_pair = {frozenset(p): v for p, v in means[class_name].dropna().items()}
        among = [by_pair.get(frozenset(p)) for p in itertools.combinations(people, 2)]
        own = [by_pair.get(frozenset((model, person))) for person in people]
        known = [float(v) for v in among if v is not None]
        mine = [float(v) for v in own if v is not None]
        if known and mine:
            spreads.append(
                QuantitySpread(
                    model=model,
                    class_name=class_name,
                    name=name,
                    model_mean=min(mine),
                    people_low=min(known),
                    people_high=max(known),
                    is_within=bool(np.greater_equal(min(mine), min(known))),
                )
            )
    return spreads
