"""The factor on the loss that keeps float16 gradients above the smallest number."""

from dataclasses import dataclass

FIRST = 2.0**15
SMALLEST = 1.0
GROW_AFTER = 2000


@dataclass(frozen=True)
class LossScale:
    """A factor that halves at an overflow and doubles after a long time without.

    Attributes:
        value: The factor, a power of 2, so that it changes no digit.
        good_steps: Steps since it last changed.
        is_dynamic: Whether it changes at all; only float16 needs it.

    References:
        P. Micikevicius et al., "Mixed precision training", ICLR (2018),
        https://doi.org/10.48550/arXiv.1710.03740
    """

    value: float = 1.0
    good_steps: int = 0
    is_dynamic: bool = False

    @property
    def can_fall(self) -> bool:
        """Whether a smaller factor may mend an overflow."""
        return self.is_dynamic and self.value > SMALLEST

    def after(self, *, is_finite: bool) -> "LossScale":
        """Give the factor for the next step.

        Example:
            >>> LossScale(8.0, 5, is_dynamic=True).after(is_finite=False)
            LossScale(value=4.0, good_steps=0, is_dynamic=True)
        """
        if not self.is_dynamic:
            return self
        if not is_finite:
            return LossScale(self.value / 2, 0, is_dynamic=True)
        if self.good_steps + 1 == GROW_AFTER:
            return LossScale(self.value * 2, 0, is_dynamic=True)
        return LossScale(self.value, self.good_steps + 1, is_dynamic=True)


def loss_scale_for(policy: str) -> LossScale:
    """Give the first factor for a Keras dtype policy, such as "mixed_float16"."""
    is_dynamic = policy == "mixed_float16"
    return LossScale(FIRST if is_dynamic else 1.0, is_dynamic=is_dynamic)
