"""Class weights that balance rare classes against frequent ones."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def median_frequency_weights(counts: NDArray[np.integer[Any]]) -> tuple[float, ...]:
    """Give class weights that balance rare classes against frequent ones.

    `w_c = median(f) / f_c`, where f_c is the number of pixels of class c divided
    by the number of annotated pixels of the images in which c occurs, and the
    median is over the classes that occur. A class that never occurs weighs 0.

    Args:
        counts: (N, K) annotated pixels of each of K classes in N images, or (K,)
            for all images taken as one.

    Returns:
        K weights, the matrix first.

    Raises:
        ValueError: When no pixel is counted.

    Example:
        >>> median_frequency_weights(np.array([[90, 6, 4], [100, 0, 0]]))
        (0.063..., 1.0, 1.5)

    References:
        D. Eigen, R. Fergus, "Predicting depth, surface normals and semantic
        labels with a common multi-scale convolutional architecture", ICCV
        (2015), https://doi.org/10.1109/ICCV.2015.304
    """
    pixels = np.atleast_2d(np.asarray(counts, dtype=np.int64))
    if pixels.sum() == 0:
        raise ValueError("`counts` must count at least one pixel. Received: none.")
    where_present = pixels.sum(axis=1, keepdims=True) * (pixels > 0)
    frequency = pixels.sum(axis=0) / np.maximum(where_present.sum(axis=0), 1)
    present = frequency > 0
    weights = np.zeros(frequency.shape)
    weights[present] = np.median(frequency[present]) / frequency[present]
    return tuple(float(weight) for weight in weights)
