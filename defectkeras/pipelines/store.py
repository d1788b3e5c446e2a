"""All examples, read once, normalised once, no pixel wasted."""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from defectkeras.core.arrays import ClassMap, Image, require_class_map
from defectkeras.core.errors import TrainingError
from defectkeras.core.files import sha256_of_file
from defectkeras.core.labels import LabelScheme
from defectkeras.datasets.spec import Example, LoadedExample, load_example
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.micrographs.resize import resize_class_map, resize_to_pixel_size
from defectkeras.pipelines.flat_array import FlatArray, most_bytes_in_memory

MAX_CLASSES = 127  # class indices are kept as int8


@dataclass(frozen=True, eq=False)
class ImageStore:
    """Images and class maps of many sizes, one after another in flat tensors.

    A pixel's number counts through all images, row by row. The tensors stay on
    the CPU, where the input pipeline runs; one that takes more than a quarter of the
    free memory lies in a file that is mapped into memory.

    Attributes:
        names: The N examples' names.
        fingerprints: sha256 of the N micrograph and annotation files; None for
            an example that came from memory.
        images: (pixels,) float32 in [0, 1].
        class_maps: (pixels,) int8.
        starts: (N,) int64, the number of each image's first pixel.
        shapes: (N, 2) int64, (H, W).
        class_counts: (N, K) int64 on the NumPy side, annotated pixels per class.
        defect_pixels: (D,) int64, the numbers of all defect pixels, class after
            class; classes without a pixel are left out.
        defect_starts: (C + 1,) int64, where each class begins in
            `defect_pixels`, and the end.
    """

    names: tuple[str, ...]
    fingerprints: tuple[dict[str, str] | None, ...]
    images: Any
    class_maps: Any
    starts: Any
    shapes: Any
    class_counts: np.ndarray[Any, np.dtype[np.int64]]
    defect_pixels: Any
    defect_starts: Any

    def __len__(self) -> int:
        """Give the number of examples."""
        return len(self.names)

    @property
    def num_pixels(self) -> int:
        """Pixels of all images together."""
        return int(self.images.shape[0])

    def example(self, index: int) -> tuple[Image, ClassMap]:
        """Give one example as it was read.

        Args:
            index: From 0 to N - 1.

        Returns:
            (H, W) float32 image in [0, 1] and (H, W) int32 class map.
        """
        height, width = self.shapes[index].numpy()
        start = int(self.starts[index])
        pixels = slice(start, start + int(height * width))
        image = self.images[pixels].numpy().reshape(height, width)
        class_map = self.class_maps[pixels].numpy().reshape(height, width)
        return image, class_map.astype(np.int32)


def load_store(
    examples: Sequence[Example | LoadedExample],
    scheme: LabelScheme,
    *,
    target_pixel_size_nm: float | None = None,
    folder: Path | None = None,
) -> ImageStore:
    """Read and normalise every example once.

    Args:
        examples: Of a data spec, or already in memory.
        scheme: Says what the class indices mean.
        target_pixel_size_nm: To which all are resampled; class maps by the nearest
            pixel.
        folder: For what is too large for the memory; None takes the system's for
            temporary files.

    Raises:
        CalibrationError: When they are resampled and a pixel size is not known.
        TrainingError: When there is no example, or too many classes.
        MicrographError: When a file cannot be read; it is named.
        OSError: When the disk is full.
        ValueError: When an example in memory has an index that is no class.
    """
    if not examples:
        raise TrainingError(
            "A split must have at least one example. Received none. "
            "Look at [split] in the data spec."
        )
    if scheme.num_classes > MAX_CLASSES:
        raise TrainingError(
            f"Training takes at most {MAX_CLASSES} classes. "
            f"Received: {scheme.num_classes}."
        )
    grow = functools.partial(
        FlatArray, most_bytes=most_bytes_in_memory(), folder=folder
    )
    images, class_maps = grow(np.float32), grow(np.int8)
    names, fingerprints, shapes, counts = [], [], [], []
    for example in examples:
        loaded = _load(example, scheme, target_pixel_size_nm)
        names.append(
            example.name if isinstance(example, Example) else loaded.micrograph.name
        )
        fingerprints.append(_fingerprints(example))
        images.append(normalize_percentile(loaded.micrograph.pixels))
        class_map = require_class_map(
            loaded.class_map, num_classes=scheme.num_classes, name="class_map"
        )
        class_maps.append(class_map)
        shapes.append(class_map.shape)
        counts.append(
            [np.count_nonzero(class_map == k) for k in range(scheme.num_classes)]
        )
    class_counts = np.array(counts)
    starts = np.cumsum([0, *(height * width for height, width in shapes)])
    all_maps = class_maps.to_tensor()
    present = [k for k in range(1, scheme.num_classes) if class_counts[:, k].any()]
    defect_pixels = grow(np.int64)
    for k, (first, end) in itertools.product(present, itertools.pairwise(starts)):
        class_map = all_maps[first:end].numpy()
        defect_pixels.append(first + np.flatnonzero(class_map == k))
    with tf.device("CPU:0"):
        return ImageStore(
            names=tuple(names),
            fingerprints=tuple(fingerprints),
            images=images.to_tensor(),
            class_maps=all_maps,
            starts=tf.constant(starts[:-1], tf.int64),
            shapes=tf.constant(shapes, tf.int64),
            class_counts=class_counts,
            defect_pixels=defect_pixels.to_tensor(),
            defect_starts=tf.constant(
                np.cumsum([0, *class_counts[:, present].sum(axis=0)]), tf.int64
            ),
        )


def _load(
    example: Example | LoadedExample,
    scheme: LabelScheme,
    target_pixel_size_nm: float | None,
) -> LoadedExample:
    if isinstance(example, Example):
        example = load_example(example, scheme)
    if target_pixel_size_nm is None:
        return example
    micrograph = resize_to_pixel_size(example.micrograph, target_pixel_size_nm)
    return LoadedExample(
        micrograph, resize_class_map(example.class_map, micrograph.shape)
    )


def _fingerprints(example: Example | LoadedExample) -> dict[str, str] | None:
    if isinstance(example, LoadedExample):
        return None
    return {
        "micrograph": f"sha256:{sha256_of_file(example.micrograph_path)}",
        "annotation": f"sha256:{sha256_of_file(example.annotation_path)}",
    }
