"""The least probability for each class, chosen on the validation split alone."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import NOT_ANNOTATED, ProbabilityMap
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.core.symmetries import Symmetries
from defectkeras.datasets.spec import LoadedExample
from defectkeras.metrics import confusion_counts, score_counts
from defectkeras.prediction.postprocess import apply_thresholds, most_probable_class
from defectkeras.prediction.predict import predict_micrograph
from defectkeras.prediction.tiling import Tiling, choose_halo

if TYPE_CHECKING:
    import keras

TILE_SIZE = 512
CANDIDATES = np.linspace(0.05, 0.95, 19)

LEAST_GAIN = 0.005
"""Of the mean IoU, for thresholds to be kept. They are scored on the examples that
they were chosen on, often three or four, where less than this is noise."""

Predict = Callable[[Micrograph], ProbabilityMap]


@dataclass(frozen=True)
class TunedThresholds:
    """The thresholds, and whether they help.

    Attributes:
        thresholds: Class name to least probability; empty where the most probable
            class does as well, or nearly.
        score_before: Mean IoU of the defects of the most probable class, pooled
            over the validation split.
        score_after: The same with the best thresholds that were found.
        split: What the examples are called that they were chosen on.
    """

    thresholds: dict[str, float]
    score_before: float
    score_after: float
    split: str = "val"

    def __str__(self) -> str:
        """Say it in one line."""
        change = f"from {self.score_before:.3f} to {self.score_after:.3f}"
        kept = ", ".join(f"{k} {t:.2f}" for k, t in self.thresholds.items())
        return (
            f"Thresholds bring the mean IoU of the defects in validation "
            f"{change}: {kept or 'none is kept'}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Give it for JSON."""
        return asdict(self)


def tune_thresholds(
    examples: Sequence[LoadedExample],
    predict: Predict,
    scheme: LabelScheme,
    *,
    split: str = "val",
) -> TunedThresholds:
    """Choose for each class the threshold with the best IoU.

    Each class is first looked at alone: of 19 thresholds that one is taken whose
    mask `p_k >= t` has the best IoU, pooled over the examples; of equal ones that
    nearest to 0.5. They are kept when, applied together, they do better than the
    most probable class by `LEAST_GAIN`.

    Args:
        examples: Of the validation split; never of the test split.
        predict: Micrograph to probabilities (H, W, K).
        scheme: The K classes.
        split: What the examples are called.
    """
    masks = np.zeros((len(scheme.defects), len(CANDIDATES), 2))
    annotated = np.zeros(len(scheme.defects))
    for example in examples:
        probability_map = predict(example.micrograph)
        for row, defect in enumerate(scheme.defects):
            truth = example.class_map == defect.index
            annotated[row] += truth.sum()
            masks[row] += _count_masks(
                probability_map[..., defect.index],
                truth,
                example.class_map != NOT_ANNOTATED,
            )
    hits, called = masks[..., 0], masks[..., 1]
    ious = hits / np.maximum(called + annotated[:, np.newaxis] - hits, 1)
    best = [_best_candidate(row) for row in ious]
    before, after = (
        _score(examples, predict, scheme, thresholds) for thresholds in (None, best)
    )
    names = [c.name for c in scheme.defects]
    is_better = after - before >= LEAST_GAIN
    kept = dict(zip(names, best, strict=True)) if is_better else {}
    return TunedThresholds(kept, before, after, split)


def _count_masks(
    probabilities: NDArray[Any], truth: NDArray[Any], annotated: NDArray[Any]
) -> NDArray[np.float64]:
    """Give for each candidate the pixels that are right and that are called."""
    called = [annotated & (probabilities >= t) for t in CANDIDATES]
    return np.array([[(c & truth).sum(), c.sum()] for c in called], np.float64)


def _best_candidate(ious: NDArray[np.float64]) -> float:
    best = np.flatnonzero(ious == ious.max())
    nearest = best[np.argmin(abs(CANDIDATES[best] - 0.5))]
    return round(float(CANDIDATES[nearest]), 2)


def _score(
    examples: Sequence[LoadedExample],
    predict: Predict,
    scheme: LabelScheme,
    thresholds: Sequence[float] | None,
) -> float:
    """Give the mean IoU of the defects, pooled over the examples."""
    counts = np.zeros((scheme.num_classes, scheme.num_classes), np.int64)
    for example in examples:
        probability_map = predict(example.micrograph)
        class_map = (
            most_probable_class(probability_map)
            if thresholds is None
            else apply_thresholds(probability_map, thresholds)
        )
        counts += confusion_counts(
            example.class_map, class_map, num_classes=scheme.num_classes
        )
    return score_counts(counts).mean_defect_iou


def predict_probabilities(
    model: "keras.Model",
    scheme: LabelScheme,
    *,
    target_pixel_size_nm: float | None = None,
    symmetries: Symmetries = "none",
) -> Predict:
    """Give a function from a micrograph to its probabilities by a model.

    Args:
        model: (B, H, W, 1) to logits.
        scheme: The K classes.
        target_pixel_size_nm: To which micrographs are resampled meanwhile.
        symmetries: Over the views of which they are the mean.

    Returns:
        A function that gives (H, W, K).
    """
    import tensorflow as tf

    from defectkeras.registry.saved_model.graph import class_probabilities

    tiling = tiling_of(model)
    probabilities = tf.function(
        lambda tiles: class_probabilities(model(tiles, training=False)),
        reduce_retracing=True,
    )

    def predict(micrograph: Micrograph) -> ProbabilityMap:
        """Give (H, W, K) probabilities."""
        prediction = predict_micrograph(
            lambda tiles: probabilities(tf.constant(tiles)).numpy(),
            micrograph,
            num_classes=scheme.num_classes,
            tiling=tiling,
            symmetries=symmetries,
            target_pixel_size_nm=target_pixel_size_nm,
        )
        return prediction.probability_map

    return predict


def remember(predict: Predict, most_bytes: int = 1 << 30) -> Predict:
    """Keep what a function gave for the first micrographs, to ask it only once.

    Args:
        predict: Micrograph, which stays in memory, to probabilities.
        most_bytes: Of what is kept.
    """
    kept: dict[int, ProbabilityMap] = {}

    def ask(micrograph: Micrograph) -> ProbabilityMap:
        """Give (H, W, K) probabilities."""
        found = kept.get(id(micrograph))
        if found is None:
            found = predict(micrograph)
            if sum(k.nbytes for k in kept.values()) + found.nbytes <= most_bytes:
                kept[id(micrograph)] = found
        return found

    return ask


def tiling_of(model: "keras.Model") -> Tiling:
    """Give tiles whose halo fits a model that has no card yet."""
    from defectkeras.models.build import describe_architecture

    facts = describe_architecture(model)
    return Tiling(
        tile_size=TILE_SIZE,
        halo=choose_halo(facts.receptive_field_px, TILE_SIZE),
        batch_size=4,
        stride=facts.stride,
    )
