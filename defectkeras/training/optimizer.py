"""The optimizer: AdamW, a warm-up, then a cosine down to 0."""

import keras

from defectkeras.training.config import TrainingConfig


def build_optimizer(config: TrainingConfig) -> keras.optimizers.Optimizer:
    """Build AdamW with its learning rate over all steps of a run.

    Args:
        config: The settings of the run.

    Returns:
        AdamW; biases and the scales of normalisation do not decay.

    References:
        I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm
        restarts", ICLR (2017), https://doi.org/10.48550/arXiv.1608.03983
    """
    steps = config.epochs * config.steps_per_epoch
    warmup_steps = min(round(config.warmup_epochs * config.steps_per_epoch), steps - 1)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup_steps else config.learning_rate,
        decay_steps=steps - warmup_steps,
        warmup_target=config.learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=config.weight_decay,
        global_clipnorm=config.gradient_clip_norm,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
