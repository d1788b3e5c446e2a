"""A method without a network against the annotations of a split."""

from collections.abc import Callable
from pathlib import Path

from defectkeras.classical.methods import CLASSICAL_METHODS
from defectkeras.classical.random_forest import fit_random_forest
from defectkeras.classical.tiles import Polarity
from defectkeras.core.arrays import Image, PredictFn
from defectkeras.core.errors import DatasetError
from defectkeras.core.micrograph import Micrograph
from defectkeras.core.names import require_known
from defectkeras.datasets.spec import DatasetSpec, load_dataset_spec, load_example
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.prediction.predict import predict_image
from defectkeras.workflows.evaluate import evaluate_split
from defectkeras.workflows.evaluation import Evaluation
from defectkeras.workflows.segment import Segmentation

RANDOM_FOREST = "random_forest"
METHODS = (*CLASSICAL_METHODS, RANDOM_FOREST)


def evaluate_method(
    method: str,
    spec_path: Path | str,
    *,
    polarity: Polarity = "dark",
    split: str = "test",
    root: Path | None = None,
    tolerance_px: float = 2.0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Compare a method without a network with the annotations of a split.

    Args:
        method: A name of `CLASSICAL_METHODS`, or "random_forest", which is fitted on
            the split "train".
        spec_path: The data spec; with two classes unless for "random_forest".
        polarity: Whether the defects are dark or bright; the forest learns it.
        split: "train", "val" or "test".
        root: Folder of the micrographs, in place of that of the data spec.
        tolerance_px: How far a boundary may be off.
        on_progress: Called with the micrographs done and those of all.

    Raises:
        DatasetError: When the method or the split is unknown, the split is empty, or
            the data spec has more classes than the method can tell apart.
        TrainingError: When there is nothing annotated to fit a forest on.
    """
    require_known(method, METHODS, what="method", error=DatasetError)
    spec = load_dataset_spec(spec_path, root=root)
    return evaluate_split(
        method_segmenter(method, spec, polarity),
        spec,
        split=split,
        model=method if method == RANDOM_FOREST else f"{method}, {polarity} defects",
        sha256=None,
        tolerance_px=tolerance_px,
        on_progress=on_progress,
    )


def method_segmenter(
    method: str, spec: DatasetSpec, polarity: Polarity
) -> Callable[[Micrograph], Segmentation]:
    """Give a function that segments a micrograph by a method without a network.

    Args:
        method: One of `METHODS`; a forest is fitted here.
        spec: The classes, and for a forest the split "train".
        polarity: Whether the defects are dark or bright; the forest learns it.

    Raises:
        DatasetError: When the data spec has more classes than the method can tell
            apart.
        TrainingError: When there is nothing annotated to fit a forest on.
    """
    find = _method_of(method, spec, polarity)

    def segment_micrograph(micrograph: Micrograph) -> Segmentation:
        image = normalize_percentile(micrograph.pixels)
        prediction = predict_image(
            find(image), image, num_classes=spec.scheme.num_classes
        )
        return Segmentation(prediction, prediction.class_map, ())

    return segment_micrograph


def _method_of(
    method: str, spec: DatasetSpec, polarity: Polarity
) -> Callable[[Image], PredictFn]:
    """Give a function of a whole image (H, W) to a `PredictFn` for its tiles."""
    if method == RANDOM_FOREST:
        loaded = (load_example(e, spec.scheme) for e in spec.of_split("train"))
        forest = fit_random_forest(
            ((normalize_percentile(x.micrograph.pixels), x.class_map) for x in loaded),
            num_classes=spec.scheme.num_classes,
        )
        return lambda image: forest
    if spec.scheme.num_classes != 2:
        raise DatasetError(
            f"{spec.path}: there must be two classes for the method {method!r}, which "
            f"tells no defects apart. Received: {spec.scheme.num_classes}. Use "
            f"{RANDOM_FOREST!r}."
        )
    return lambda image: CLASSICAL_METHODS[method](image, polarity=polarity)
