"""Pretrain an encoder on micrographs without annotations, by filling in what is hidden.

Half of the squares of each patch are hidden, and a U-Net on the encoder gives their
grey levels. It can do so only by knowing how what is around them goes on; what it
has learned for that stays in the encoder.

D. Pathak et al., "Context encoders: feature learning by inpainting", CVPR (2016),
https://doi.org/10.1109/CVPR.2016.278; Z. Xie et al., "SimMIM: a simple framework for
masked image modeling" (2021), https://doi.org/10.48550/arXiv.2111.09886. Ours is a
convolutional network, and its decoder has skip connections; they carry nothing of
what is hidden.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.errors import StoppedError, TrainingError
from defectkeras.core.files import whole_file
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import LoadedExample
from defectkeras.models.encoder_unet import STRIDES, build_encoder_unet
from defectkeras.models.encoders import build_encoder
from defectkeras.pipelines.input_pipeline import PipelineConfig, build_training_dataset
from defectkeras.pipelines.masking import Masking, build_masked_dataset
from defectkeras.pipelines.store import load_store
from defectkeras.training.optimizer import build_for

STRIDE = max(STRIDES)  # the whole encoder learns
WEIGHT_DECAY = 0.05
NO_CLASSES = LabelScheme(
    (DefectClass(0, "matrix", "matrix"), DefectClass(1, "unknown", "region"))
)


@dataclass(frozen=True)
class PretrainingConfig:
    """The settings of a pretraining.

    Attributes:
        encoder: A name of `ENCODERS`.
        encoder_weights: What it begins with: "imagenet", a `.keras` file or None.
        encoder_alpha: Width of a MobileNet.
        epochs: How many; after each the file is written.
        steps_per_epoch: Batches per epoch.
        batch_size: Patches per batch.
        patch_size: Side of a patch in px, a multiple of 32.
        learning_rate: Its highest value; it falls to 0 along a cosine.
        masking: What is hidden.
        seed: Of everything that is drawn.

    Raises:
        TrainingError: When a value is out of its range.
    """

    encoder: str = "efficientnet_lite0"
    encoder_weights: str | None = None
    encoder_alpha: float = 1.0
    epochs: int = 20
    steps_per_epoch: int = 100
    batch_size: int = 8
    patch_size: int = 192
    learning_rate: float = 1e-3
    masking: Masking = field(default_factory=Masking)
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("epochs", "steps_per_epoch", "batch_size"):
            if getattr(self, name) < 1:
                raise TrainingError(
                    f"`{name}` must be at least 1. Received: {getattr(self, name)}."
                )
        if self.patch_size < STRIDE or self.patch_size % STRIDE:
            raise TrainingError(
                f"`patch_size` must be a multiple of {STRIDE}. Received: "
                f"{self.patch_size}."
            )


@dataclass(frozen=True)
class Pretraining:
    """What came of it.

    Attributes:
        losses: Mean squared error of the hidden grey levels, per epoch.
        was_interrupted: Whether it ended before its last epoch.
    """

    losses: tuple[float, ...]
    was_interrupted: bool


def pretrain(
    micrographs: Sequence[Micrograph],
    config: PretrainingConfig,
    out: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Pretraining:
    """Pretrain an encoder and write it, after each epoch whole or not at all.

    Call `seed_everything(config.seed)` before.

    Args:
        micrographs: (H, W) each, of raw grey levels.
        config: The settings.
        out: A `.keras` file that `encoder_weights` takes.
        on_progress: Told the steps done, and all.

    Returns:
        The losses. After Ctrl-C too, once an epoch is done.

    Raises:
        TrainingError: When the loss is no number.
        StoppedError: When it was interrupted before the first epoch was done.
    """
    model = build_encoder_unet(
        num_classes=1,
        encoder=config.encoder,
        encoder_weights=config.encoder_weights,
        encoder_alpha=config.encoder_alpha,
    )
    steps = config.epochs * config.steps_per_epoch
    schedule = keras.optimizers.schedules.CosineDecay(config.learning_rate, steps)
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=WEIGHT_DECAY, global_clipnorm=1.0
    )
    build_for(optimizer, model.trainable_variables)  # else the step is traced twice
    model.compile(optimizer, hidden_error, jit_compile=False)
    record = _Record(config, out, on_progress)
    was_interrupted = False
    try:
        model.fit(
            _dataset(micrographs, config),
            epochs=config.epochs,
            steps_per_epoch=config.steps_per_epoch,
            callbacks=[record],
            shuffle=False,
            verbose=0,
        )
    except KeyboardInterrupt:
        was_interrupted = True
    if not record.losses:
        raise StoppedError("Interrupted before the first epoch: nothing was written.")
    return Pretraining(tuple(record.losses), was_interrupted)


def hidden_error(wanted: Any, found: Any) -> Any:
    """Give the mean squared error of the hidden pixels.

    Args:
        wanted: (B, P, P, 2), of `hide_squares`.
        found: (B, P, P, 1) grey levels.
    """
    images, hidden = wanted[..., :1], wanted[..., 1:]
    squares = hidden * keras.ops.square(found - images)
    count = keras.ops.maximum(keras.ops.sum(hidden), 1.0)
    return keras.ops.sum(squares) / count


def save_encoder(model: keras.Model, config: PretrainingConfig, out: Path) -> None:
    """Write the encoder of a larger model, whole or not at all.

    Args:
        model: Holds the encoder by the names of its layers.
        config: Tells which.
        out: The `.keras` file.
    """
    encoder = build_encoder(config.encoder, alpha=config.encoder_alpha)
    for layer in encoder.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights())
    with whole_file(out) as temporary:
        encoder.save(temporary)


def _dataset(micrographs: Sequence[Micrograph], config: PretrainingConfig) -> Any:
    """Give all batches of all epochs."""
    examples = [
        LoadedExample(m, np.full(m.shape, NOT_ANNOTATED, np.int32)) for m in micrographs
    ]
    patches = build_training_dataset(
        load_store(examples, NO_CLASSES),
        PipelineConfig(
            patch_size=config.patch_size,
            batch_size=config.batch_size,
            seed=config.seed,
            rare_class_fraction=0.0,
        ),
        epochs=config.epochs,
        steps=config.steps_per_epoch,
    )
    return build_masked_dataset(patches, seed=config.seed, masking=config.masking)


class _Record(keras.callbacks.Callback):
    """Tell the steps, keep the losses, and write the encoder after each epoch."""

    def __init__(
        self,
        config: PretrainingConfig,
        out: Path,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        super().__init__()
        self.config, self.out, self.on_progress = config, out, on_progress
        self.losses: list[float] = []
        self.steps = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps += 1
        if self.on_progress:
            total = self.config.epochs * self.config.steps_per_epoch
            self.on_progress(self.steps, total)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        loss = float(logs["loss"])
        if not np.isfinite(loss):
            raise TrainingError(
                f"The loss must stay finite. Received: {loss} in epoch {epoch + 1}. "
                f"Lower `learning_rate` (now {self.config.learning_rate:g})."
            )
        save_encoder(self.model, self.config, self.out)
        self.losses.append(loss)
