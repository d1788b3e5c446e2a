"""A model version against the annotations of a split."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.errors import DatasetError
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.core.names import require_known
from defectkeras.datasets.form import SplitName
from defectkeras.datasets.spec import (
    DatasetSpec,
    Example,
    load_dataset_spec,
    load_example,
)
from defectkeras.micrographs.annotations import read_label_map
from defectkeras.quantification.errors import compare_quantities
from defectkeras.quantification.quantify import quantify
from defectkeras.quantification.size_distances import find_sizes
from defectkeras.workflows.evaluation import Evaluation, ExampleEvaluation
from defectkeras.workflows.segment import (
    Segmentation,
    Segmenter,
    SegmentSettings,
    load_segmenter,
    segment,
)
from defectkeras.workflows.tallies import tally

SPLITS = get_args(SplitName)


def evaluate(
    model: str,
    spec_path: Path | str,
    *,
    split: str = "test",
    root: Path | None = None,
    registry_root: Path | None = None,
    settings: SegmentSettings | None = None,
    tolerance_px: float = 2.0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Segment a split of a data spec and compare it with its annotations.

    Args:
        model: "name", "name@3" or "name@alias" in the registry.
        spec_path: The data spec; its classes must be those of the model.
        split: "train", "val" or "test".
        root: Folder of the micrographs, in place of that of the data spec.
        registry_root: Folder of the registry; None takes the default.
        settings: How to segment; None takes the defaults.
        tolerance_px: How far a boundary may be off.
        on_progress: Called with the micrographs done and those of all.

    Raises:
        DatasetError: When the split is empty or the classes differ.
        RegistryError: When there is no such model version or it is damaged.
    """
    spec = load_dataset_spec(spec_path, root=root)
    chosen = settings or SegmentSettings()
    segmenter = load_segmenter(model, registry_root, runtime=chosen.runtime)
    _require_same_classes(segmenter, spec.scheme)
    return evaluate_split(
        lambda micrograph: segment(segmenter, micrograph, chosen),
        spec,
        split=split,
        model=segmenter.version.reference,
        sha256=segmenter.version.sha256,
        tolerance_px=tolerance_px,
        on_progress=on_progress,
    )


def evaluate_split(
    segment_micrograph: Callable[[Micrograph], Segmentation],
    spec: DatasetSpec,
    *,
    split: str,
    model: str,
    sha256: str | None,
    tolerance_px: float,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Compare what a function says about a split with its annotations.

    Args:
        segment_micrograph: Says it about one micrograph.
        spec: The data spec.
        split: "train", "val" or "test".
        model: How the result calls the function.
        sha256: Of the model version, where it is one.
        tolerance_px: How far a boundary may be off.
        on_progress: Called with the micrographs done and those of all.

    Raises:
        DatasetError: When the split is unknown or empty.
    """
    require_known(split, SPLITS, what="split", error=DatasetError)
    examples = [e for e in spec.examples if e.split == split]
    if not examples:
        raise DatasetError(
            f'{spec.path}: the split "{split}" must have a micrograph. Received: none.'
        )
    results = []
    for number, example in enumerate(examples):
        results.append(
            _evaluate_example(segment_micrograph, example, spec.scheme, tolerance_px)
        )
        if on_progress is not None:
            on_progress(number + 1, len(examples))
    return Evaluation(
        model=model,
        sha256=sha256,
        dataset_name=spec.name,
        split=split,
        scheme=spec.scheme,
        tolerance_px=tolerance_px,
        examples=tuple(results),
    )


def _require_same_classes(segmenter: Segmenter, scheme: LabelScheme) -> None:
    if segmenter.card.scheme != scheme:
        known = [c.name for c in segmenter.card.scheme.classes]
        raise DatasetError(
            f"The data spec must have the classes of {segmenter.version.reference}, "
            f"{known}. Received: {[c.name for c in scheme.classes]}."
        )


def _evaluate_example(
    segment_micrograph: Callable[[Micrograph], Segmentation],
    example: Example,
    scheme: LabelScheme,
    tolerance_px: float,
) -> ExampleEvaluation:
    loaded = load_example(example, scheme)
    segmentation = segment_micrograph(loaded.micrograph)
    annotated = loaded.class_map != NOT_ANNOTATED
    seen = np.where(annotated, segmentation.class_map, NOT_ANNOTATED).astype(np.int32)
    numbered = (
        read_label_map(example.annotation_path)
        if example.encoding == "objects"
        else None
    )
    calibration = loaded.micrograph.calibration
    true = quantify(loaded.class_map, scheme, calibration, label_map=numbered)
    measured = quantify(seen, scheme, calibration)
    true_sizes, sizes = find_sizes(true), find_sizes(measured)
    return ExampleEvaluation(
        name=example.name,
        tallies=tally(
            loaded.class_map,
            segmentation.class_map,
            segmentation.prediction.probability_map,
            scheme,
            numbered=numbered,
            tolerance_px=tolerance_px,
        ),
        quantities=compare_quantities(true, measured),
        sizes={name: (true_sizes[name], sizes[name]) for name in sizes},
    )
