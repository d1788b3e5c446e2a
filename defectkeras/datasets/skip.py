"""A set without the examples whose files have errors."""

import dataclasses

from defectkeras.datasets.facts import Problem, gather_facts
from defectkeras.datasets.spec import DatasetSpec


def without_bad_examples(spec: DatasetSpec) -> tuple[DatasetSpec, tuple[Problem, ...]]:
    """Read all files and leave out the examples that cannot be used.

    Args:
        spec: As loaded.

    Returns:
        The set of the others, and the errors of those that are left out.
    """
    facts = gather_facts(spec)
    errors = [[p for p in f.problems if p.severity == "error"] for f in facts]
    good = tuple(f.example for f, e in zip(facts, errors, strict=True) if not e)
    return dataclasses.replace(spec, examples=good), tuple(p for e in errors for p in e)
