"""From probabilities to classes, and away with specks."""

from collections.abc import Sequence

import cv2
import numpy as np

from defectkeras.core.arrays import ClassMap, ProbabilityMap


def most_probable_class(probability_map: ProbabilityMap) -> ClassMap:
    """Give each pixel its most probable class.

    Args:
        probability_map: (H, W, K).

    Returns:
        (H, W); of equal probabilities the class with the lower index.
    """
    return np.asarray(probability_map.argmax(axis=-1), dtype=np.int32)


def apply_thresholds(
    probability_map: ProbabilityMap, thresholds: Sequence[float]
) -> ClassMap:
    """Give each pixel the defect class that passes its threshold best.

    A pixel is of defect class k only when p_k >= t_k; of several such classes
    the one with the largest p_k / t_k wins, and with none it is matrix. One
    class with threshold 0.5 is the most probable class.

    Args:
        probability_map: (H, W, K).
        thresholds: K - 1 values in (0, 1], for the classes 1 to K - 1.

    Returns:
        (H, W).

    Raises:
        ValueError: When a threshold is not in (0, 1], or their number differs.

    Example:
        >>> import numpy as np
        >>> probabilities = np.array([[[0.7, 0.3], [0.8, 0.2]]], dtype=np.float32)
        >>> apply_thresholds(probabilities, [0.25])
        array([[1, 0]], dtype=int32)
    """
    num_defects = probability_map.shape[-1] - 1
    if len(thresholds) != num_defects or not all(0 < t <= 1 for t in thresholds):
        raise ValueError(
            f"`thresholds` must be {num_defects} values above 0 and up to 1, one for "
            f"each defect class. Received: {tuple(thresholds)}."
        )
    ratios = probability_map[..., 1:] / np.asarray(thresholds, dtype=np.float32)
    best = ratios.argmax(axis=-1) + 1
    return np.where(ratios.max(axis=-1) >= 1, best, 0).astype(np.int32)


def choose_classes(
    probability_map: ProbabilityMap, thresholds: Sequence[float] | None
) -> ClassMap:
    """Give classes by thresholds where there are any.

    Args:
        probability_map: (H, W, K).
        thresholds: As for `apply_thresholds`; None takes the most probable class.

    Returns:
        (H, W).
    """
    if thresholds is None:
        return most_probable_class(probability_map)
    return apply_thresholds(probability_map, thresholds)


def remove_small_objects(class_map: ClassMap, min_area_px: int) -> ClassMap:
    """Turn specks into matrix.

    Args:
        class_map: (H, W).
        min_area_px: Connected pixels of one class (8 neighbors) stay when they
            are at least so many.

    Returns:
        (H, W), a copy.

    Example:
        >>> import numpy as np
        >>> remove_small_objects(np.array([[1, 0, 2, 2]], dtype=np.int32), 2)
        array([[0, 0, 2, 2]], dtype=int32)
    """
    cleaned = class_map.copy()
    for index in np.unique(class_map[class_map > 0]):
        mask = (class_map == index).astype(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        is_speck = stats[:, cv2.CC_STAT_AREA] < min_area_px
        is_speck[0] = False  # the background
        cleaned[is_speck[labels]] = 0
    return cleaned
