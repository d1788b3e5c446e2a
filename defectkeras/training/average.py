"""The exponential moving average of the weights, which often validates better."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf


class AverageWeights:
    """An average of some weights over the last steps.

    After step t (from 1) `a <- m a + (1 - m) w` with m the smaller of the momentum
    and `t / (t + 9)`, so that the first weights are soon forgotten. Build it in
    the scope of the strategy in which the model was built.

    Args:
        variables: The weights; the statistics of batch normalization among them, for
            those of the last steps do not go with averages.
        momentum: Near 1; from 0 to below 1.

    References:
        B. T. Polyak, A. B. Juditsky, SIAM J. Control Optim. 30, 838 (1992),
        https://doi.org/10.1137/0330046
    """

    def __init__(self, variables: Sequence[Any], momentum: float) -> None:
        self.variables, self.momentum = tuple(variables), momentum
        self.averages = tuple(
            tf.Variable(v.numpy(), trainable=False) for v in self.variables
        )

    def momentum_after(self, step: int) -> float:
        """Give m for the update after a step, from 1."""
        return min(self.momentum, step / (step + 9))

    def update(self, momentum: Any) -> None:
        """Take the weights in; call it on each replica."""
        for average, variable in zip(self.averages, self.variables, strict=True):
            average.assign(momentum * average + (1.0 - momentum) * variable.value)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model have the averages for its weights, for a while."""
        own = [variable.numpy() for variable in self.variables]
        for variable, average in zip(self.variables, self.averages, strict=True):
            variable.assign(average.numpy())
        try:
            yield
        finally:
            for variable, value in zip(self.variables, own, strict=True):
                variable.assign(value)
