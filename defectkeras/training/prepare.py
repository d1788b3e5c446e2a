"""What a run is made of, checked and put together before its first step."""

import functools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from defectkeras.core.errors import TrainingError
from defectkeras.core.labels import LabelScheme
from defectkeras.core.plurals import counted
from defectkeras.datasets.spec import Example, LoadedExample
from defectkeras.losses import build_loss, median_frequency_weights
from defectkeras.models.receptive_field import model_stride
from defectkeras.pipelines.store import ImageStore, load_store
from defectkeras.training.average import AverageWeights
from defectkeras.training.config import TrainingConfig
from defectkeras.training.jit import choose_jit
from defectkeras.training.kernels import (
    require_deterministic_kernels,
    without_xla_kernel,
)
from defectkeras.training.loop import Parts
from defectkeras.training.optimizer import build_groups, freeze_encoder
from defectkeras.training.step import TrainingStep
from defectkeras.training.strategy import Devices
from defectkeras.training.validation import compile_forward

logger = logging.getLogger(__name__)


def load_stores(
    training_examples: Sequence[Example | LoadedExample],
    validation_examples: Sequence[Example | LoadedExample],
    scheme: LabelScheme,
    *,
    target_pixel_size_nm: float | None = None,
    folder: Path | None = None,
    score_decides: bool = True,
) -> dict[str, ImageStore]:
    """Read both splits, and see that they show defects.

    Args:
        training_examples: Patches are drawn from these.
        validation_examples: Predicted whole.
        scheme: The classes.
        target_pixel_size_nm: To which both are resampled.
        folder: For what is too large for the memory, see `load_store`.
        score_decides: Whether the score on the second chooses the weights; it needs
            a defect then.

    Returns:
        "train" and "val" to their examples.

    Raises:
        CalibrationError: When they are resampled and a pixel size is not known.
        TrainingError: When a split is empty or shows no defect.
        MicrographError: When a file cannot be read; it is named.
        OSError: When the disk is full.
    """
    if not validation_examples:
        raise TrainingError(
            "Training needs a validation split, to know which weights are best. "
            'Received: no example in "val". Name some under [split] in the data spec.'
        )
    load = functools.partial(
        load_store, target_pixel_size_nm=target_pixel_size_nm, folder=folder
    )
    stores = {
        "train": load(training_examples, scheme),
        "val": load(validation_examples, scheme),
    }
    for split in stores if score_decides else ("train",):
        _check_defects(split, stores[split], scheme)
    return stores


def build_parts(
    model: keras.Model,
    stores: Mapping[str, ImageStore],
    scheme: LabelScheme,
    config: TrainingConfig,
    devices: Devices,
) -> Parts:
    """Put loss, optimizers, average and step together.

    Args:
        model: To be trained, checked before.
        stores: "train" and "val" to their examples.
        scheme: The classes.
        config: The settings.
        devices: Where it computes.

    Raises:
        TrainingError: When settings do not fit the model or the devices.
    """
    devices.share(config.batch_size, config.accumulation_steps)  # checks it
    head = main_head(model)
    loss = build_loss(
        config.loss,
        num_classes=head.output_shape[-1],
        class_weights=resolve_class_weights(config, stores["train"]),
        line_classes=[c.index for c in scheme.defects if c.kind == "line"],
    )
    average = None
    with devices.strategy.scope():
        groups = build_groups(model, config)
        if config.ema_momentum:
            average = AverageWeights(model.weights, config.ema_momentum)

    @functools.cache
    def build_step(is_frozen: bool) -> TrainingStep:
        step = functools.partial(
            TrainingStep,
            model,
            loss,
            [g for g in groups if not (is_frozen and g.is_encoder)],
            average=average,
            auxiliary_weight=config.auxiliary_weight,
            clip_norm=config.gradient_clip_norm,
            strategy=devices.strategy,
        )
        is_on = _choose_jit(step(), config, devices)
        return step(jit=is_on)

    def step_for(epoch: int) -> TrainingStep:
        is_frozen = epoch < config.frozen_epochs
        freeze_encoder(model, is_frozen)
        return build_step(is_frozen)

    return Parts(
        model=head,
        step_for=step_for,
        forward=compile_forward(head),
        average=average,
        variables={
            "model": model.variables,
            "optimizer": [v for g in groups for v in g.optimizer.variables],
            "average": average.averages if average else [],
        },
        training=stores["train"],
        validation=stores["val"],
        scheme=scheme,
        stride=model_stride(head),
    )


def _choose_jit(
    step: TrainingStep,
    config: TrainingConfig,
    devices: Devices,
) -> bool:
    """Choose whether XLA compiles the step; look at its graph where it matters."""
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    not_compilable: tuple[str, ...] = ()
    if has_gpu or config.jit == "on":
        side = config.patch_size
        count = config.batch_size // devices.replicas // config.accumulation_steps
        graph = step.graph((count, side, side))
        not_compilable = without_xla_kernel(
            graph, deterministic=config.deterministic and has_gpu
        )
        if config.deterministic:
            require_deterministic_kernels(graph, on_gpu=has_gpu)
    choice = choose_jit(
        config.jit,
        replicas=devices.replicas,
        has_gpu=has_gpu,
        not_compilable=not_compilable,
    )
    logger.info(choice.reason)
    return choice.is_on


def main_head(model: keras.Model) -> keras.Model:
    """Give the model without its auxiliary heads; weights and policy are the same."""
    if len(model.outputs) == 1:
        return model
    head = keras.Model(model.inputs, model.outputs[0], name=model.name)
    head.dtype_policy = model.dtype_policy
    return head


def resolve_class_weights(
    config: TrainingConfig, store: ImageStore
) -> tuple[float, ...] | None:
    """Give the weight of each class in the cross-entropy, or None for equal ones.

    Args:
        config: Names a rule, or the weights.
        store: The training examples, whose pixels are counted.
    """
    if not isinstance(config.class_weights, str):
        return config.class_weights
    if config.class_weights == "none":
        return None
    cap = config.class_weight_cap
    weights = median_frequency_weights(store.class_counts)
    return tuple(float(np.clip(w, 1 / cap, cap)) for w in weights)


def check_model(
    model: keras.Model, scheme: LabelScheme, config: TrainingConfig
) -> None:
    """Check that model, scheme and patches fit together.

    Raises:
        TrainingError: When they do not.
    """
    head = main_head(model)
    num_maps, stride = head.output_shape[-1], model_stride(head)
    if num_maps != scheme.num_classes and (num_maps, scheme.num_classes) != (1, 2):
        raise TrainingError(
            f"The model must give one map for each of {scheme.num_classes} classes "
            "(or a single one for one defect class). "
            f"Received: {num_maps} maps. Build it with num_classes="
            f"{scheme.num_classes}."
        )
    if config.patch_size % stride:
        raise TrainingError(
            f"`patch_size` must be a multiple of the model's stride, {stride}. "
            f"Received: {config.patch_size}."
        )


def _check_defects(split: str, store: ImageStore, scheme: LabelScheme) -> None:
    """Check that a split shows a defect at all."""
    if store.class_counts[:, 1:].any():
        return
    names = ", ".join(c.name for c in scheme.defects)
    examples = counted(len(store), "example")
    raise TrainingError(
        f'The split "{split}" must have annotated pixels of a defect ({names}). '
        f"Received: none in {examples}. Check its annotations with "
        "`defectkeras data describe`, or move examples under [split]."
    )
