"""The input pipeline: stored micrographs to batches of patches.

Patch `index` of epoch `epoch` is a pure function of (seed, epoch, index), so
the order of the data does not depend on threads, and a run can start at any
epoch and see what it would have seen.
"""

from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from defectkeras.core.errors import TrainingError
from defectkeras.pipelines.augment import Augmentation, augment
from defectkeras.pipelines.patches import Window, cut_window, draw_window
from defectkeras.pipelines.store import ImageStore

PREFETCHED_BATCHES = 4


@dataclass(frozen=True)
class PipelineConfig:
    """What a batch looks like.

    Attributes:
        patch_size: Side P of a patch in px.
        batch_size: Patches per batch, B.
        seed: Of everything that is drawn.
        rare_class_fraction: Part of the patches that is drawn where defects
            are, all classes alike; the rest is drawn anywhere.
        augmentation: How far a patch may be changed.

    Raises:
        TrainingError: When a value is out of its range.
    """

    patch_size: int = 256
    batch_size: int = 8
    seed: int = 0
    rare_class_fraction: float = 0.5
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("patch_size", "batch_size"):
            if getattr(self, name) < 1:
                raise TrainingError(
                    f"`{name}` must be at least 1. Received: {getattr(self, name)}."
                )
        if not 0.0 <= self.rare_class_fraction <= 1.0:
            raise TrainingError(
                "`rare_class_fraction` must be from 0 to 1. "
                f"Received: {self.rare_class_fraction}."
            )


@dataclass(frozen=True)
class Share:
    """Which part of each batch one worker makes, and in how many pieces.

    Attributes:
        worker: Number of the worker, from 0.
        workers: How many workers there are.
        pieces: Pieces of equal size that the worker's part is cut into, one for
            each device and accumulation step.
    """

    worker: int = 0
    workers: int = 1
    pieces: int = 1


def build_training_dataset(
    store: ImageStore,
    config: PipelineConfig,
    *,
    epoch: int = 0,
    epochs: int = 1,
    steps: int,
    first_step: int = 0,
    share: Share | None = None,
) -> Any:
    """Build the batches of one or more epochs, one after another.

    Args:
        store: The micrographs to draw from.
        config: What a batch looks like.
        epoch: The first epoch, from 0.
        epochs: How many epochs follow each other.
        steps: Batches per epoch.
        first_step: Batches of the first epoch that are left out.
        share: The part that is made here; None makes whole batches. All parts
            together are the same patches as whole batches.

    Returns:
        A `tf.data.Dataset` of `epochs * steps` batches less `first_step`, times
        the pieces of the share, a number that it knows
        itself (Keras up to 3.15 takes a step too many per epoch where it does
        not, keras#23084), of (image (B, P, P, 1) float32 in [0, 1],
        class_map (B, P, P) int32). The order is deterministic.
    """
    share = share or Share()
    here = config.batch_size // share.workers
    if here % share.pieces or here * share.workers != config.batch_size:
        raise ValueError(
            f"A batch of {config.batch_size} must part evenly. Received: {share}."
        )

    def draw(number: Any) -> tuple[Any, Any]:
        step = number // here
        index = step % steps * config.batch_size + share.worker * here + number % here
        return draw_patch(store, config, epoch + step // steps, index)

    options = tf.data.Options()
    options.deterministic = True
    options.threading.max_intra_op_parallelism = 1  # patches run side by side
    return (
        tf.data.Dataset.range(first_step * here, epochs * steps * here)
        .map(draw, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(here // share.pieces, drop_remainder=True)
        .prefetch(PREFETCHED_BATCHES)
        .with_options(options)
    )


def draw_patch(
    store: ImageStore, config: PipelineConfig, epoch: Any, index: Any
) -> tuple[Any, Any]:
    """Draw one patch, augmented.

    Args:
        store: The micrographs to draw from.
        config: What a patch looks like.
        epoch: From 0.
        index: Number of the patch in its epoch, from 0.

    Returns:
        (P, P, 1) float32 image in [0, 1] and (P, P) int32 class map.
    """
    window, seed = _locate(store, config, epoch, index)
    image, class_map = cut_window(store, window)
    size = config.patch_size
    if config.augmentation.scale_range != (1.0, 1.0):
        image = tf.image.resize(image, (size, size), antialias=True)
        class_map = tf.image.resize(class_map[..., None], (size, size), "nearest")
        class_map = class_map[..., 0]
    image = tf.ensure_shape(image, (size, size, 1))
    class_map = tf.ensure_shape(class_map, (size, size))
    return augment(image, class_map, seed, config.augmentation)


def names_in_batch(
    store: ImageStore, config: PipelineConfig, *, epoch: int, step: int
) -> tuple[str, ...]:
    """Tell which examples the patches of a batch were cut from.

    Args:
        store: The micrographs.
        config: As given to `build_training_dataset`.
        epoch: From 0.
        step: Number of the batch in its epoch, from 0.

    Returns:
        The names, sorted, each once.
    """
    first = step * config.batch_size
    windows = [
        _locate(store, config, epoch, index)[0]
        for index in range(first, first + config.batch_size)
    ]
    return tuple(sorted({store.names[int(w.example)] for w in windows}))


def require_known_cardinality(dataset: Any) -> int:
    """Give the number of batches of a dataset.

    Raises:
        ValueError: When the dataset does not know it, or has no end. Keras up
            to 3.15 then reports wrong losses and takes a phantom step per epoch
            (keras#23084).
    """
    cardinality = int(dataset.cardinality())
    if cardinality < 0:
        raise ValueError(
            "`dataset` must know its number of batches. Received: cardinality "
            f"{cardinality}. Use `tf.data.experimental.assert_cardinality`."
        )
    return cardinality


def _locate(
    store: ImageStore, config: PipelineConfig, epoch: Any, index: Any
) -> tuple[Window, Any]:
    """Give where a patch lies, and the seed of its augmentation."""
    seed = tf.constant([config.seed, 0], tf.int64)
    for number in (epoch, index):  # the type of the number matters to the result
        number = tf.cast(number, tf.int64)
        seed = tf.random.experimental.stateless_fold_in(seed, number)
    where, scale, how = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    smallest, largest = config.augmentation.scale_range
    size = tf.constant(config.patch_size, tf.int64)
    if (smallest, largest) != (1.0, 1.0):
        factor = tf.random.stateless_uniform((), scale, smallest, largest)
        size = tf.cast(tf.round(config.patch_size / factor), tf.int64)
    window = draw_window(
        store, where, size, rare_class_fraction=config.rare_class_fraction
    )
    return window, how
