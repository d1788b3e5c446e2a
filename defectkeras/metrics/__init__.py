"""Stage 4, how well a prediction agrees with the annotation, by counts.

Takes class maps (H, W) and probability maps (H, W, K); gives integer counts that
add up over micrographs ("pooled"), and scores of them; may import: core.

Pixels that are `NOT_ANNOTATED` are not counted. The counts are NumPy's and not
those of `keras.metrics`, which in Keras 3.15.1 also count a batch that is not there
when the number of batches is unknown.
"""

from defectkeras.metrics.boundaries import BoundaryCounts, count_boundaries
from defectkeras.metrics.pixels import (
    Counts,
    PixelScores,
    confusion_counts,
    mean_iou_over_images,
    score_counts,
)
from defectkeras.metrics.ratios import number_or_none
from defectkeras.metrics.reliability import ReliabilityCounts, count_reliability

__all__ = [
    "BoundaryCounts",
    "Counts",
    "PixelScores",
    "ReliabilityCounts",
    "confusion_counts",
    "count_boundaries",
    "count_reliability",
    "mean_iou_over_images",
    "number_or_none",
    "score_counts",
]
