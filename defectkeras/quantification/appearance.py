"""How objects look: grey level, contrast, and how sure the model is of them.

Pixels are summed over the runs of an object first. A run needs only the pixels near
it, so that a micrograph that is read in bands gives the same sums, bit by bit.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from defectkeras.core.arrays import Image, LabelMap, Mask
from defectkeras.quantification.runs import Floats, Integers, Runs

RING_PX = (1.5, 5.0)
"""The matrix around an object is compared with it from here to there."""

MARGIN_PX = 16
"""Rows beyond a run that its sums depend on, and some more."""

_MEANS = ("mean_grey_level", "confidence", "uncertainty")


def sum_appearance(
    label_map: LabelMap,
    runs: Runs,
    *,
    image: Image | None = None,
    probability: Image | None = None,
    uncertainty: Image | None = None,
    background: Mask | None = None,
    first_row: int = 0,
) -> dict[str, Floats]:
    """Add up some maps over each run, and over the matrix beside it.

    Args:
        label_map: (H, W) int object numbers, 0 where no object is.
        runs: R runs of it, all or those at least `MARGIN_PX` rows from a side where
            the map was cut off.
        image: (H, W) grey levels.
        probability: (H, W) that a pixel is of the objects' class.
        uncertainty: (H, W) standard deviation of the probability.
        background: (H, W) true on the matrix; by default where no object is.
        first_row: Row of the micrograph that is the first of the maps.

    Returns:
        As far as the maps are given, (R,) each: sums named as the columns of
        `appearance_columns`, and of the pixels of the matrix that are nearer to the
        run than to others, within `RING_PX`, "ring" and their number "ring_px".
    """
    given = dict(zip(_MEANS, (image, probability, uncertainty), strict=True))
    maps = {name: values for name, values in given.items() if values is not None}
    if not maps:
        return {}
    width = label_map.shape[1]
    places = runs.places(width) - first_row * width
    lengths = runs.lengths
    number = np.repeat(np.arange(len(lengths)), lengths)
    sums = {
        name: np.bincount(
            number, np.ascontiguousarray(values).reshape(-1)[places], len(lengths)
        ).astype(np.float64)
        for name, values in maps.items()
    }
    if image is not None:
        matrix = label_map == 0 if background is None else background
        ring, ring_px = _sum_around(label_map, places, number, image, matrix)
        sums |= {"ring": ring, "ring_px": ring_px}
    return sums


def appearance_columns(runs: Runs, sums: Mapping[str, Floats]) -> dict[str, Floats]:
    """Give the means over each object.

    Args:
        runs: The runs of N objects.
        sums: (R,) each, of `sum_appearance`.

    Returns:
        As far as there are sums, (N,) each: `mean_grey_level`; `confidence`, the
        mean probability; `uncertainty`, the mean; `contrast`, the mean grey level
        less that of the matrix in a ring around the object, NaN without such pixels.
    """
    areas = runs.areas
    means = {n: runs.sum(sums[n]) / areas for n in _MEANS if n in sums}
    if "ring" in sums:
        counts = runs.sum(sums["ring_px"])
        around = np.full(len(areas), np.nan)
        np.divide(runs.sum(sums["ring"]), counts, out=around, where=counts > 0)
        means["contrast"] = means["mean_grey_level"] - around
    return means


def _sum_around(
    label_map: LabelMap,
    places: Integers,
    number: Integers,
    image: Image,
    background: Mask,
) -> tuple[Floats, Floats]:
    """Give sum and number of the pixels of the matrix around each run."""
    count = int(number[-1]) + 1 if len(number) else 0
    if count == 0:
        return np.zeros(0), np.zeros(0)
    distance, nearest = cv2.distanceTransformWithLabels(
        (label_map == 0).astype(np.uint8),
        cv2.DIST_L2,
        cv2.DIST_MASK_5,
        labelType=cv2.DIST_LABEL_PIXEL,
    )
    near, far = RING_PX
    ring = (distance > near) & (distance <= far) & background & (label_map == 0)
    run_of_pixel = np.full(int(nearest.max()) + 1, -1, dtype=np.int64)
    run_of_pixel[nearest.reshape(-1)[places]] = number
    owner = run_of_pixel[nearest[ring]]
    known = owner >= 0  # pixels of other runs, in a map that was cut off
    sums = np.bincount(owner[known], image[ring][known], count)
    counts = np.bincount(owner[known], minlength=count)
    return sums.astype(np.float64), counts.astype(np.float64)
