"""Choose the number format that a model computes in, and say why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import tensorflow as tf

from defectkeras.core.errors import TrainingError
from defectkeras.core.names import require_known

Policy = Literal["float32", "mixed_float16", "mixed_bfloat16"]
Capability = tuple[int, int]

POLICIES: tuple[Policy, ...] = ("float32", "mixed_float16", "mixed_bfloat16")
TENSOR_CORES: Capability = (7, 0)  # compute capability from which GPUs have them


@dataclass(frozen=True)
class PrecisionChoice:
    """A Keras dtype policy, and the reason for it.

    Attributes:
        policy: "float32", "mixed_float16" or "mixed_bfloat16".
        reason: One sentence for people.
    """

    policy: Policy
    reason: str


def choose_precision(
    requested: str = "auto", *, capabilities: Sequence[Capability] | None = None
) -> PrecisionChoice:
    """Choose the policy; set it before the model is built.

    Set it by `keras.config.set_dtype_policy(choice.policy)`. Losses, logits and
    metrics are float32 under every policy.

    Args:
        requested: "auto" or a policy. "auto" is mixed_float16 where all GPUs
            have tensor cores, else float32.
        capabilities: Compute capability of each GPU; None asks TensorFlow.

    Raises:
        TrainingError: When the policy is not known.

    Example:
        >>> choose_precision("auto", capabilities=[(8, 0)]).policy
        'mixed_float16'
        >>> choose_precision("auto", capabilities=[]).reason
        'There is no GPU.'
    """
    require_known(requested, ("auto", *POLICIES), what="precision", error=TrainingError)
    for policy in POLICIES:
        if requested == policy:
            return PrecisionChoice(policy, "It was asked for.")
    return _choose(gpu_capabilities() if capabilities is None else capabilities)


def _choose(capabilities: Sequence[Capability]) -> PrecisionChoice:
    if not capabilities:
        return PrecisionChoice("float32", "There is no GPU.")
    lowest = min(capabilities)
    told = f"compute capability {lowest[0]}.{lowest[1]}"
    if lowest < TENSOR_CORES:
        return PrecisionChoice(
            "float32", f"The GPU has {told}, and tensor cores come with 7.0."
        )
    return PrecisionChoice("mixed_float16", f"The GPU has tensor cores ({told}).")


def gpu_capabilities() -> tuple[Capability, ...]:
    """Give the compute capability of each GPU; (0, 0) where it is not told."""
    details = (
        tf.config.experimental.get_device_details(device)
        for device in tf.config.list_physical_devices("GPU")
    )
    return tuple(d.get("compute_capability", (0, 0)) for d in details)
