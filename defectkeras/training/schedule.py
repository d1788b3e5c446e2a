"""The learning rate as a pure function of the step: a warm-up, then a fall.

A rate without state of its own goes on exactly where a run was interrupted.
"""

import math

from defectkeras.training.config import TrainingConfig


def learning_rate_at(config: TrainingConfig, step: int) -> float:
    """Give the learning rate of one step.

    It rises in a straight line over the warm-up. Then, with x from 0 to 1 over
    the remaining steps, it is `rate * (1 + cos(pi x)) / 2` for "cosine",
    `rate * (1 - x)^power` for "poly", and `rate` for "constant".

    Args:
        config: The settings of the run.
        step: Steps done before, over all epochs, from 0.

    Example:
        >>> config = TrainingConfig(epochs=2, steps_per_epoch=10, schedule="poly",
        ...                         poly_power=2.0, learning_rate=0.1)
        >>> [round(learning_rate_at(config, step), 4) for step in (0, 5, 10, 15)]
        [0.0, 0.05, 0.1, 0.025]

    References:
        I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm
        restarts", ICLR (2017), https://doi.org/10.48550/arXiv.1608.03983
        L.-C. Chen et al., "DeepLab", IEEE TPAMI 40, 834 (2018), for "poly",
        https://doi.org/10.1109/TPAMI.2017.2699184
    """
    steps = config.epochs * config.steps_per_epoch
    warmup_steps = min(round(config.warmup_epochs * config.steps_per_epoch), steps - 1)
    if step < warmup_steps:
        return config.learning_rate * step / warmup_steps
    x = min((step - warmup_steps) / (steps - warmup_steps), 1.0)
    factors: dict[str, float] = {
        "cosine": 0.5 * (1.0 + math.cos(math.pi * x)),
        "poly": (1.0 - x) ** config.poly_power,
        "constant": 1.0,
    }
    return config.learning_rate * factors[config.schedule]
