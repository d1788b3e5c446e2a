"""How long a training step takes, to choose by measurement and not by belief."""

import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from defectkeras.losses import build_loss
from defectkeras.training.config import TrainingConfig
from defectkeras.training.loss_scale import loss_scale_for
from defectkeras.training.optimizer import build_groups
from defectkeras.training.precision import Policy, with_policy
from defectkeras.training.step import TrainingStep

TIMES = 3


def step_seconds(
    build: Callable[[], keras.Model], config: TrainingConfig, policy: Policy
) -> float:
    """Measure a training step on random patches, the best of some.

    Args:
        build: Builds the model that is to be trained.
        config: The settings of the run.
        policy: Keras dtype policy.
    """
    with with_policy(policy):
        model = build()
    step = TrainingStep(
        model,
        build_loss("ce", num_classes=model.output_shape[-1]),
        build_groups(model, config),
        clip_norm=config.gradient_clip_norm,
        strategy=tf.distribute.get_strategy(),
    )
    shape = (config.batch_size, config.patch_size, config.patch_size)
    images = np.random.default_rng(0).uniform(size=(*shape, 1)).astype(np.float32)
    batch = tf.constant(images), tf.zeros(shape, tf.int32)
    scale = loss_scale_for(policy).value
    seconds = []
    for _ in range(1 + TIMES):  # the first one compiles
        started = time.perf_counter()
        step.apply(step.gradients(iter([batch]), 1, scale), config.learning_rate)
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:])
