"""Splits into train, val and test: by file or by specimen, never by patch.

Patches of one micrograph, or micrographs of one specimen, look alike. When some
of them train and others test, the result is too good and says nothing about the
next specimen.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from defectkeras.core.names import suggestion
from defectkeras.datasets.faults import split_faults
from defectkeras.datasets.form import SPLITS, SplitForm, SplitName

Assignment = SplitName | None
"""The split of an example; None is left out on purpose."""


def assign_splits(
    units: Sequence[str], form: SplitForm
) -> tuple[tuple[Assignment, ...], tuple[str, ...]]:
    """Give each example its split.

    Args:
        units: For each example what is never parted: its own name, or its
            specimen's.
        form: The rule.

    Returns:
        The split of each example, and in plain words what does not fit between
        the rule and the examples. With a fault the splits are not to be used.

    Example:
        >>> form = SplitForm(train=("a*",), val=("b",))
        >>> assign_splits(["a1", "a2", "b"], form)
        (('train', 'train', 'val'), ())
    """
    if split_faults(form):
        return _undecided(units), ()
    if form.fractions is not None:
        return _assign_by_fractions(units, form.fractions, seed=form.seed)
    return _assign_by_lists(units, form)


def _assign_by_lists(
    units: Sequence[str], form: SplitForm
) -> tuple[tuple[Assignment, ...], tuple[str, ...]]:
    """Give each example the split whose list names its unit."""
    known = dict.fromkeys(units)
    inside: dict[str, list[str]] = {unit: [] for unit in known}
    faults: list[str] = []
    for split in (*SPLITS, "unused"):
        for entry in getattr(form, split):
            named = _units_named(entry, known)
            if known and not named:
                hint = suggestion(entry, known)
                faults.append(f"[split] {split} entry {entry!r} names nothing.{hint}")
            for unit in named:
                inside[unit] += [split] if split not in inside[unit] else []
    for unit, splits in inside.items():
        if len(splits) != 1:
            came = " and ".join(splits) or "none (`unused` leaves it out on purpose)"
            faults.append(
                f"[split] {unit!r} must be in one of train, val, test, unused. "
                f"Received: {came}."
            )
    return tuple(_first_split(inside[unit]) for unit in units), tuple(faults)


def _units_named(entry: str, units: Iterable[str]) -> list[str]:
    """Give the units that an entry names; a name goes before a pattern."""
    if entry in units:
        return [entry]
    return [unit for unit in units if fnmatchcase(unit, entry)]


def _first_split(splits: Sequence[str]) -> Assignment:
    if splits == ["unused"]:
        return None
    return next((s for s in SPLITS if s in splits), "train")


def _assign_by_fractions(
    units: Sequence[str], fractions: Sequence[float], *, seed: int
) -> tuple[tuple[Assignment, ...], tuple[str, ...]]:
    """Fill the splits with whole units in an order that the seed gives.

    Each unit goes to the split that lacks most; a split with a share gets at
    least one unit. The order comes from a hash and not from a random generator,
    so that it stays the same with every version of every library.
    """
    sizes = Counter(units)
    wanted = {s: f * len(units) for s, f in zip(SPLITS, fractions, strict=True) if f}
    if units and len(sizes) < len(wanted):
        return _undecided(units), (
            f"[split] fractions must share out at least {len(wanted)} files or "
            f"specimens. Received: {len(sizes)}.",
        )
    chosen: dict[str, SplitName] = {}
    empty = list(wanted)
    for unit in _in_seeded_order(sizes, seed):
        split = empty.pop(0) if empty else max(wanted, key=lambda s: wanted[s])
        chosen[unit] = split
        wanted[split] -= sizes[unit]
    return tuple(chosen[unit] for unit in units), ()


def _undecided(units: Sequence[str]) -> tuple[Assignment, ...]:
    """Keep all examples in sight of the other checks."""
    return tuple(SPLITS[0] for _ in units)


def _in_seeded_order(units: Iterable[str], seed: int) -> list[str]:
    def digest(unit: str) -> bytes:
        return hashlib.sha256(f"{seed}:{unit}".encode()).digest()

    return sorted(units, key=digest)
