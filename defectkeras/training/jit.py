"""Choose whether XLA compiles the training step, and say why."""

from collections.abc import Sequence
from dataclasses import dataclass

from defectkeras.core.errors import TrainingError


@dataclass(frozen=True)
class JitChoice:
    """Whether XLA compiles the step.

    Attributes:
        is_on: Whether it does.
        reason: One sentence for people.
    """

    is_on: bool
    reason: str


def choose_jit(
    requested: str, *, replicas: int, has_gpu: bool, not_compilable: Sequence[str]
) -> JitChoice:
    """Choose whether XLA compiles the gradients of a step.

    Args:
        requested: "auto", "on" or "off".
        replicas: On how many devices the batch is computed.
        has_gpu: Whether these are GPUs.
        not_compilable: Operations of the step without an XLA kernel.

    Raises:
        TrainingError: When "on" is asked for and cannot be.

    Example:
        >>> choose_jit("auto", replicas=1, has_gpu=False, not_compilable=()).reason
        'XLA is off: it is slower than the kernels for CPUs.'
    """
    if requested == "off":
        return JitChoice(False, "XLA is off: it was asked for.")
    obstacle = None
    if replicas > 1:
        obstacle = (
            f"gradients are summed over {replicas} devices, which XLA does wrong "
            "together with loss scaling (keras#21366)"
        )
    elif not_compilable:
        obstacle = f"it has no kernel for {', '.join(not_compilable)}"
    if requested == "on":
        if obstacle:
            raise TrainingError(f"`jit` cannot be on: {obstacle}. Set it to auto.")
        return JitChoice(True, "XLA is on: it was asked for.")
    if obstacle is None and not has_gpu:
        obstacle = "it is slower than the kernels for CPUs"
    if obstacle:
        return JitChoice(False, f"XLA is off: {obstacle}.")
    return JitChoice(True, "XLA is on: one GPU, and it compiles every operation.")
