"""A set without the examples whose files have errors."""

import contextlib
import dataclasses
import shlex
from collections.abc import Iterator
from pathlib import Path

from defectkeras.core.errors import DatasetError, MicrographError
from defectkeras.datasets.facts import Problem, gather_facts
from defectkeras.datasets.spec import DatasetSpec, load_dataset_spec, load_example

_MOST_NAMED = 3


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


def require_usable(spec: DatasetSpec) -> None:
    """Read all that a training would, so that a file which stops it is told before.

    Args:
        spec: As loaded.

    Raises:
        DatasetError: When an annotation cannot be used.
        MicrographError: When a file cannot be read.
    """
    for split in ("train", "val"):
        for example in spec.of_split(split):
            load_example(example, spec.scheme)


@contextlib.contextmanager
def all_bad_files_told(path: Path, *, root: Path | None = None) -> Iterator[None]:
    """Tell of all files that cannot be used, where one of them stops what is done.

    All files are read only then.

    Args:
        path: The data spec.
        root: Folder of the files, instead of the `root` of the spec.

    Raises:
        DatasetError: When several cannot be used; the first few are named.
    """
    try:
        yield
    except (DatasetError, MicrographError) as error:
        _, problems = without_bad_examples(load_dataset_spec(path, root=root))
        if len(problems) < 2:
            raise
        named = ", ".join(problem.path.name for problem in problems[:_MOST_NAMED])
        more = len(problems) - _MOST_NAMED
        raise DatasetError(
            f"{path}: every micrograph and annotation must be usable. Received: "
            f"{len(problems)} that are not: {named}"
            f"{f' and {more} more' if more > 0 else ''}. `defectkeras data validate "
            f"{shlex.quote(str(path))}` tells what is wrong with each; --skip-bad "
            "leaves them out."
        ) from error
