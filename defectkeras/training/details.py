"""What a validation can tell beyond its counts: for the pictures of the log.

It is gathered tile by tile while the micrographs are predicted, so that nothing is
predicted twice and no probabilities are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, Image, Mask, ProbabilityMap
from defectkeras.core.labels import LabelScheme
from defectkeras.metrics import ReliabilityCounts, count_reliability
from defectkeras.training.log_budget import CURVE_BINS

Where: TypeAlias = tuple[slice, slice]
Diameters: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ShownField:
    """One validation micrograph as the log shows it.

    Attributes:
        name: Of the micrograph.
        image: (H, W) in [0, 1].
        annotation: (H, W) class map.
        prediction: (H, W) class map.
        uncertainty: (H, W) in [0, 1], see `normalized_entropy`.
    """

    name: str
    image: Image
    annotation: ClassMap
    prediction: ClassMap
    uncertainty: NDArray[np.float32]


class Details:
    """Gather what the pictures need over all micrographs of a validation.

    Args:
        scheme: The K classes.
        shown: Indices of the micrographs that get a panel.

    Attributes:
        reliability: Defect class index to its pixels by probability, in
            `CURVE_BINS` bins.
        annotated_px: Region class index to the diameters of its annotated objects,
            one array per micrograph.
        predicted_px: The same of the predicted ones.
        fields: Those that are shown.
    """

    def __init__(self, scheme: LabelScheme, shown: Sequence[int]) -> None:
        self.shown = tuple(shown)
        regions = [c.index for c in scheme.defects if c.kind == "region"]
        self.reliability: dict[int, ReliabilityCounts] = {}
        self.annotated_px: dict[int, list[Diameters]] = {k: [] for k in regions}
        self.predicted_px: dict[int, list[Diameters]] = {k: [] for k in regions}
        self.fields: list[ShownField] = []
        self._tiles: list[tuple[Where, NDArray[np.float32]]] = []

    def add_tile(
        self, annotation: ClassMap, where: Where, probability_map: ProbabilityMap
    ) -> None:
        """Count the pixels of one tile.

        Args:
            annotation: (H, W) of the whole micrograph.
            where: The rows and columns of the tile.
            probability_map: (h, w, K) of the tile.
        """
        for index in range(1, probability_map.shape[-1]):
            counts = count_reliability(
                annotation[where], probability_map, index=index, num_bins=CURVE_BINS
            )
            before = self.reliability.get(index)
            self.reliability[index] = before + counts if before else counts
        self._tiles.append((where, normalized_entropy(probability_map)))

    def add_micrograph(
        self,
        index: int,
        name: str,
        image: Image,
        annotation: ClassMap,
        prediction: ClassMap,
    ) -> None:
        """Measure the objects of a micrograph, after its tiles, and keep it if shown.

        Args:
            index: Of the micrograph in its split.
            name: Of the micrograph.
            image: (H, W) in [0, 1].
            annotation: (H, W) class map.
            prediction: (H, W) class map.
        """
        is_annotated = annotation != NOT_ANNOTATED
        for k in self.annotated_px:
            self.annotated_px[k].append(object_diameters_px(annotation == k))
            called = (prediction == k) & is_annotated
            self.predicted_px[k].append(object_diameters_px(called))
        if index in self.shown:
            uncertainty = np.empty(image.shape, np.float32)
            for where, values in self._tiles:
                uncertainty[where] = values
            self.fields.append(
                ShownField(name, image, annotation, prediction, uncertainty)
            )
        self._tiles.clear()


def normalized_entropy(probability_map: ProbabilityMap) -> NDArray[np.float32]:
    """Give how undecided each pixel is: `-sum_k p_k log(p_k) / log(K)`.

    Args:
        probability_map: (H, W, K).

    Returns:
        (H, W) from 0, sure, to 1, all classes alike.

    Example:
        >>> normalized_entropy(np.array([[[0.5, 0.5], [1.0, 0.0]]])).round(6)
        array([[1., 0.]], dtype=float32)
    """
    p = np.maximum(probability_map.astype(np.float32), 1e-12)
    entropy = -(p * np.log(p)).sum(axis=-1) / np.log(p.shape[-1])
    return np.asarray(np.clip(entropy, 0.0, 1.0), dtype=np.float32)


def object_diameters_px(mask: Mask) -> Diameters:
    """Give `2 sqrt(area / pi)` of each connected object (eight neighbors).

    Args:
        mask: (H, W), objects at the border among them.

    Returns:
        (N,) equivalent diameters in px.
    """
    stats = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)[2]
    areas = stats[1:, cv2.CC_STAT_AREA].astype(np.float64)
    return np.asarray(2 * np.sqrt(areas / np.pi))


def precision_recall(counts: ReliabilityCounts) -> NDArray[np.float64]:
    """Give a precision-recall curve at the lower limit of each bin, and at 1.

    A pixel is called where its probability is above the threshold m / M; at 0
    every pixel is. Where none is called the precision is 1.

    Args:
        counts: Of one class in M bins.

    Returns:
        (N, M + 1) with N = 6: true and false positives, true and false negatives,
        precision, recall.

    Example:
        >>> counts = ReliabilityCounts(
        ...     np.array([3, 2]), np.array([1, 2]), np.array([0.6, 1.8]))
        >>> precision_recall(counts)[4:].round(3).tolist()
        [[0.6, 1.0, 1.0], [1.0, 0.667, 0.0]]
    """

    def _above(values: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.append(values[::-1].cumsum()[::-1], 0).astype(np.float64)

    hits, called = _above(counts.right), _above(counts.pixels)
    false_alarms = called - hits
    misses = hits[0] - hits
    rest = false_alarms[0] - false_alarms
    precision = np.divide(hits, called, out=np.ones_like(hits), where=called > 0)
    recall = np.divide(hits, hits[0], out=np.zeros_like(hits), where=hits[0] > 0)
    return np.stack([hits, false_alarms, rest, misses, precision, recall])
