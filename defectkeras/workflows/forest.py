"""From a data spec to a file with a random forest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from defectkeras.classical.forest_file import SUFFIX, ForestFacts, write_forest
from defectkeras.classical.random_forest import RandomForest, fit_random_forest
from defectkeras.core.arrays import ClassMap, Image
from defectkeras.core.errors import TrainingError
from defectkeras.core.files import require_free
from defectkeras.datasets.fingerprint import fingerprint_examples
from defectkeras.datasets.spec import (
    DatasetSpec,
    load_dataset_spec,
    load_example,
    load_micrograph,
)
from defectkeras.micrographs.normalize import normalize_percentile


@dataclass(frozen=True)
class ForestPlan:
    """What a forest would learn from.

    Attributes:
        spec: The data spec; only its split "train" is read.
        out: The file that would be written.
    """

    spec: DatasetSpec
    out: Path


def plan_forest(
    spec_path: Path, out: Path, *, root: Path | None = None, overwrite: bool = False
) -> ForestPlan:
    """Load the data spec, and see that the file can be written.

    Args:
        spec_path: The data spec.
        out: The file; must end in ".skops".
        root: Folder of the micrographs, in place of that of the data spec.
        overwrite: Whether an older file gives way.

    Raises:
        DatasetError: When the data spec has a fault, or its split "train" is empty.
        TrainingError: When the file has another suffix.
        DefectKerasError: When it is there already.
    """
    if out.suffix != SUFFIX:
        raise TrainingError(f"`out` must end in {SUFFIX}. Received: {out}.")
    require_free(out, overwrite=overwrite)
    spec = load_dataset_spec(spec_path, root=root)
    spec.require_split("train")
    return ForestPlan(spec, out)


def fit_forest(
    plan: ForestPlan,
    *,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> ForestFacts:
    """Fit a forest on the split "train" and write it.

    Args:
        plan: From `plan_forest`.
        seed: Of the pixels and the trees; the same seed gives the same forest.
        on_progress: Called with the micrographs read and those of all.

    Returns:
        What is told about it in the file.

    Raises:
        DatasetError: When a file cannot be read.
        TrainingError: When nothing is annotated, or the file cannot be written.
    """
    examples = plan.spec.of_split("train")
    forest = learn_from(plan.spec, seed=seed, on_progress=on_progress)
    sizes_nm = [load_micrograph(e).calibration.pixel_size_nm for e in examples]
    known = [size for size in sizes_nm if size is not None]
    facts = ForestFacts(
        scheme=plan.spec.scheme,
        dataset_name=plan.spec.name,
        dataset_fingerprint=fingerprint_examples(examples),
        attribution=f"{plan.spec.source} ({plan.spec.license})",
        pixel_size_range_nm=(
            (min(known), max(known)) if len(known) == len(sizes_nm) else None
        ),
    )
    try:
        write_forest(forest, facts, plan.out)
    except OSError as error:
        raise TrainingError(f"{plan.out}: cannot be written. {error}.") from error
    return facts


def learn_from(
    spec: DatasetSpec,
    *,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> RandomForest:
    """Fit a forest on the split "train" of a data spec.

    Args:
        spec: The data spec.
        seed: Of the pixels and the trees.
        on_progress: Called with the micrographs read and those of all.

    Raises:
        DatasetError: When a file cannot be read.
        TrainingError: When nothing is annotated.
    """
    return fit_random_forest(
        _read(spec, on_progress), num_classes=spec.scheme.num_classes, seed=seed
    )


def _read(
    spec: DatasetSpec, on_progress: Callable[[int, int], None] | None
) -> Iterator[tuple[Image, ClassMap]]:
    """Give image and class map of each example, one at a time."""
    examples = spec.of_split("train")
    for number, example in enumerate(examples, start=1):
        loaded = load_example(example, spec.scheme)
        yield normalize_percentile(loaded.micrograph.pixels), loaded.class_map
        if on_progress is not None:
            on_progress(number, len(examples))
