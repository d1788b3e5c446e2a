"""The methods that need no example, by name."""

from collections.abc import Callable

from defectkeras.classical.blobs import blobs
from defectkeras.classical.ridges import ridges
from defectkeras.classical.thresholds import local_threshold, otsu
from defectkeras.classical.watershed import watershed
from defectkeras.core.arrays import PredictFn

CLASSICAL_METHODS: dict[str, Callable[..., PredictFn]] = {
    "otsu": otsu,
    "local_threshold": local_threshold,
    "ridges": ridges,
    "blobs": blobs,
    "watershed": watershed,
}
"""Name to a function of a whole image (H, W) in [0, 1] and `polarity`.

Each gives a `PredictFn` of two classes for tiles of that image: a `PredictFn` sees
tiles, and a threshold must be the same for all tiles of a micrograph.
"""
