"""A micrograph in a few numbers per patch: its grey levels, its texture, its certainty.

They say how a micrograph looks to a network, not what is in it. Texture is the share
of each octave in the power spectrum, so that contrast, which is among the grey levels,
does not count twice.

Certainty stands for the features of the network: its probabilities are where all
features end up, and every engine gives them (TensorFlow, OpenVINO, a server, an int8
file), while an inner map would need a second output in each of them.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft2
from scipy.special import entr

from defectkeras.core.arrays import Image, ProbabilityMap, ReadRows

PATCH_PX = 128
"""Side of a patch; a smaller micrograph is mirrored up to it."""

MOST_PER_SIDE = 8
"""Patches along a side at most, so that a large micrograph costs no more."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
OCTAVES = 5
"""From half a cycle per pixel down to 1/64."""

_BINS = 256
_LEAST = 1e-6  # below any noise, for the logarithm of nothing

Descriptors = NDArray[np.float64]


def describe_grey_levels(image: Image) -> Descriptors:
    """Give for each patch quantiles, contrast and entropy of its grey levels.

    Args:
        image: (H, W) in [0, 1], normalized as for the network.

    Returns:
        (P, 7): quantiles at 5, 25, 50, 75 and 95 %, each the middle of one of 256 bins,
        log10 of the standard deviation, and the entropy of 32 grey levels in bits.

    Example:
        >>> image = np.full((40, 60), 0.5, dtype=np.float32)
        >>> describe_grey_levels(image).round(1) + 0.0
        array([[ 0.5,  0.5,  0.5,  0.5,  0.5, -6. ,  0. ]])
    """
    patches = cut_patches(image)
    flat = patches.reshape(len(patches), -1)
    bins = np.minimum((flat * _BINS).astype(np.int64), _BINS - 1)
    counts = np.stack([np.bincount(row, minlength=_BINS) for row in bins])
    shares = counts / flat.shape[1]
    reached = shares.cumsum(axis=1)[:, np.newaxis] >= np.array(QUANTILES)[:, np.newaxis]
    quantiles = (reached.argmax(axis=2) + 0.5) / _BINS
    contrast = np.log10(np.maximum(flat.std(axis=1), _LEAST))
    bits = entr(shares.reshape(len(flat), 32, -1).sum(axis=2)).sum(axis=1) / np.log(2)
    return np.column_stack([quantiles, contrast, bits])


def describe_texture(image: Image) -> Descriptors:
    """Give for each patch how its power is shared out among the octaves.

    The power spectrum is that of the patch without its mean, under a Hann window.

    Args:
        image: (H, W) in [0, 1], normalized as for the network.

    Returns:
        (P, 5): log10 of the share of the power between 1/4 and 1/2 cycles per pixel,
        1/8 and 1/4, and so on down to 1/64.

    Example:
        >>> wave = np.sin(2 * np.pi * np.arange(256) / 6)  # 1/6 lies in the second
        >>> texture = describe_texture(np.tile(wave, (128, 1)).astype(np.float32))
        >>> texture.shape, int(texture[0].argmax())
        ((2, 5), 1)
    """
    patches = cut_patches(image)
    window = np.hanning(PATCH_PX + 2)[1:-1].astype(np.float32)
    patches = patches - patches.mean(axis=(1, 2), keepdims=True)
    power = np.abs(rfft2(patches * np.outer(window, window))) ** 2
    rows = np.fft.fftfreq(PATCH_PX)[:, np.newaxis]
    frequency = np.hypot(rows, np.fft.rfftfreq(PATCH_PX))
    bands = [
        power[:, (frequency >= 2.0 ** -(k + 2)) & (frequency < 2.0 ** -(k + 1))]
        for k in range(OCTAVES)
    ]
    sums = np.stack([band.sum(axis=1) for band in bands], axis=1)
    shares = sums / np.maximum(sums.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    return np.asarray(np.log10(np.maximum(shares, _LEAST)), np.float64)


def describe_certainty(probability_map: ProbabilityMap) -> Descriptors:
    """Give for each patch how undecided the network is.

    The entropy of a pixel is relative to that of equal probabilities, ln K. Of rows and
    columns every second one is looked at, since logarithms take their time.

    Args:
        probability_map: (H, W, K).

    Returns:
        (P, 2): log10 of the mean entropy, and of the root of its mean square, which
        weighs the places where the network hesitates most.

    Example:
        >>> describe_certainty(np.full((40, 60, 4), 0.25, dtype=np.float32)) + 0.0
        array([[0., 0.]])
    """
    return describe_entropy(relative_entropy(probability_map))


def relative_entropy(probability_map: ProbabilityMap) -> NDArray[np.float32]:
    """Give how undecided the network is at every second row and column.

    Args:
        probability_map: (H, W, K).

    Returns:
        (H / 2, W / 2), rounded up: entropy over ln K, 0 to 1.
    """
    every_second = probability_map[::2, ::2]
    logs = np.log(np.maximum(every_second, np.finfo(np.float32).tiny))
    entropy = -(every_second * logs).sum(axis=-1)
    return np.asarray(entropy / np.float32(np.log(probability_map.shape[-1])))


def describe_entropy(entropy: NDArray[np.float32]) -> Descriptors:
    """Give `describe_certainty` of what `relative_entropy` gave.

    Args:
        entropy: (H, W) of every second row and column of the probabilities.
    """
    patches = cut_patches(entropy)
    mean = patches.mean(axis=(1, 2))
    root_mean_square = np.sqrt((patches**2).mean(axis=(1, 2)))
    both = np.column_stack([mean, root_mean_square])
    return np.asarray(np.log10(np.maximum(both, _LEAST)), np.float64)


def gather_patches(read_rows: ReadRows, shape: tuple[int, int]) -> Image:
    """Give a small image with the same patches as one that does not fit into memory.

    Args:
        read_rows: First row and the row after the last to these rows, (h, W).
        shape: (H, W).

    Returns:
        At most 1024 rows and columns; `cut_patches` gives of it those of the whole.

    Example:
        >>> whole = np.arange(300 * 2000, dtype=np.float32).reshape(300, 2000)
        >>> small = gather_patches(lambda first, stop: whole[first:stop], whole.shape)
        >>> small.shape, np.array_equal(cut_patches(small), cut_patches(whole))
        ((384, 1024), True)
    """
    rows, columns = (_starts(max(size, PATCH_PX)) for size in shape)
    bands = [read_rows(r, min(r + PATCH_PX, shape[0])) for r in rows.tolist()]
    return np.vstack(
        [np.hstack([band[:, c : c + PATCH_PX] for c in columns]) for band in bands]
    )


def cut_patches(image: Image) -> NDArray[np.float32]:
    """Cut an even grid of patches, from border to border.

    Patches overlap where the sides are no multiple of `PATCH_PX`.

    Args:
        image: (H, W).

    Returns:
        (P, 128, 128), row by row, at most 64.
    """
    missing = [(0, max(PATCH_PX - size, 0)) for size in image.shape]
    padded = np.pad(image, missing, mode="symmetric")
    rows, columns = (_starts(size) for size in padded.shape)
    return np.stack(
        [padded[r : r + PATCH_PX, c : c + PATCH_PX] for r in rows for c in columns]
    )


def _starts(size: int) -> NDArray[np.int64]:
    count = min(-(-size // PATCH_PX), MOST_PER_SIDE)
    return np.linspace(0, size - PATCH_PX, count).round().astype(np.int64)
