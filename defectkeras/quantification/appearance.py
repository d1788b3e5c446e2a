"""How objects look: grey level, contrast, and how sure the model is of them."""

import cv2
import numpy as np

from defectkeras.core.arrays import Image, LabelMap, Mask
from defectkeras.quantification.runs import Floats, Runs

RING_PX = (1.5, 5.0)
"""The matrix around an object is compared with it from here to there."""


def measure_appearance(
    label_map: LabelMap,
    runs: Runs,
    *,
    image: Image | None = None,
    probability: Image | None = None,
    uncertainty: Image | None = None,
    background: Mask | None = None,
) -> dict[str, Floats]:
    """Give the mean of some maps over each object.

    Args:
        label_map: (H, W) int object numbers, 0 where no object is.
        runs: Its runs, of N objects.
        image: (H, W) grey levels.
        probability: (H, W) that a pixel is of the objects' class.
        uncertainty: (H, W) standard deviation of the probability.
        background: (H, W) true on the matrix; by default where no object is.

    Returns:
        As far as the maps are given, (N,) each: `mean_grey_level`; `contrast`, it
        less the mean grey level of the matrix in a ring around the object (pixels
        nearer to it than to others, `RING_PX`), NaN without such pixels;
        `confidence`, the mean probability; `uncertainty`, the mean.
    """
    given = {
        "mean_grey_level": image,
        "confidence": probability,
        "uncertainty": uncertainty,
    }
    maps = {name: values for name, values in given.items() if values is not None}
    if not maps:
        return {}
    places, index = runs.places(label_map.shape[1]), runs.pixel_index
    areas = np.bincount(index, minlength=len(runs.labels))
    means: dict[str, Floats] = {}
    for name, values in maps.items():
        inside = np.ascontiguousarray(values).reshape(-1)[places]
        means[name] = np.bincount(index, inside, len(runs.labels)) / areas
    if image is not None:
        matrix = label_map == 0 if background is None else background
        around = _mean_around(label_map, runs, image, matrix)
        means["contrast"] = means["mean_grey_level"] - around
    return means


def _mean_around(
    label_map: LabelMap, runs: Runs, image: Image, background: Mask
) -> Floats:
    """Give the mean grey level of the matrix around each object."""
    count = len(runs.labels)
    if count == 0:
        return np.zeros(0)
    distance, nearest = cv2.distanceTransformWithLabels(
        (label_map == 0).astype(np.uint8),
        cv2.DIST_L2,
        cv2.DIST_MASK_5,
        labelType=cv2.DIST_LABEL_PIXEL,
    )
    near, far = RING_PX
    ring = (distance > near) & (distance <= far) & background & (label_map == 0)
    object_of_pixel = np.zeros(int(nearest.max()) + 1, dtype=np.int64)
    is_object = label_map > 0
    object_of_pixel[nearest[is_object]] = np.searchsorted(
        runs.labels, label_map[is_object]
    )
    index = object_of_pixel[nearest[ring]]
    sums = np.bincount(index, image[ring], count)
    counts = np.bincount(index, minlength=count)
    means = np.divide(sums, counts, out=np.full(count, np.nan), where=counts > 0)
    return np.asarray(means, dtype=np.float64)
