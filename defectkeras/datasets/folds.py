"""Folds for cross-validation: by specimen or file, never by patch."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Sequence

from defectkeras.core.errors import DatasetError
from defectkeras.core.plurals import counted
from defectkeras.datasets.spec import DatasetSpec


def assign_folds(
    specimens: Sequence[str], num_folds: int, *, seed: int = 0
) -> tuple[int, ...]:
    """Give each example a fold; examples of one specimen get the same one.

    Specimens go in an order that the seed gives, each to the fold with the fewest
    examples so far.

    Args:
        specimens: That of each example.
        num_folds: How many folds, 2 or more.
        seed: Of the order.

    Returns:
        The number of the fold of each example, from 0.

    Raises:
        DatasetError: When there are fewer specimens than folds.

    Example:
        >>> folds = assign_folds(["a", "a", "b", "c"], 2)
        >>> folds[0] == folds[1] and folds[2] == folds[3] != folds[0]
        True
    """
    sizes = Counter(specimens)
    if not 2 <= num_folds <= len(sizes):
        count = counted(len(sizes), "specimen")
        raise DatasetError(
            "There must be 2 folds or more, and a specimen (or file) for each. "
            f"Received: {counted(num_folds, 'fold')}, {count}."
        )

    def order(specimen: str) -> tuple[int, bytes]:
        text = f"{seed}:{specimen}".encode()
        return -sizes[specimen], hashlib.sha256(text).digest()

    totals, chosen = [0] * num_folds, {}
    for specimen in sorted(sizes, key=order):
        chosen[specimen] = fold = totals.index(min(totals))
        totals[fold] += sizes[specimen]
    return tuple(chosen[specimen] for specimen in specimens)


def spec_of_fold(
    spec: DatasetSpec, num_folds: int, fold: int, *, seed: int = 0
) -> DatasetSpec:
    """Give a data spec whose validation split is one fold, its training split the rest.

    Examples of the splits "train" and "val" are shared out; those of "test" stay.

    Args:
        spec: The data spec.
        num_folds: How many folds, 2 or more.
        fold: Number of the fold that is held out, from 0.
        seed: Of the order of the specimens.

    Raises:
        DatasetError: When there are fewer specimens than folds.
    """
    tested = spec.of_split("test")
    shared = [e for e in spec.examples if e.split != "test"]
    folds = assign_folds([e.specimen for e in shared], num_folds, seed=seed)
    split = [
        dataclasses.replace(example, split="val" if number == fold else "train")
        for example, number in zip(shared, folds, strict=True)
    ]
    return dataclasses.replace(spec, examples=(*split, *tested))
