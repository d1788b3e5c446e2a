"""Choose the number format that a model computes in, and say why."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras
import tensorflow as tf

from defectkeras.core.errors import TrainingError
from defectkeras.core.names import require_known

Policy = Literal["float32", "mixed_float16", "mixed_bfloat16"]
Capability = tuple[int, int]
Measure = Callable[[Policy], float]

POLICIES: tuple[Policy, ...] = ("float32", "mixed_float16", "mixed_bfloat16")
TENSOR_CORES: Capability = (7, 0)  # compute capability from which GPUs have them
BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})  # of a CPU
MIN_GAIN = 1.1  # times as fast; less is not worth fewer digits
CPU_INFO = Path("/proc/cpuinfo")


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
    requested: str = "auto",
    *,
    capabilities: Sequence[Capability] | None = None,
    measure: Measure | None = None,
) -> PrecisionChoice:
    """Choose the policy; set it before the model is built.

    Build it in `with_policy(choice.policy)`. Losses, logits and metrics are float32
    under every policy.

    Args:
        requested: "auto" or a policy. "auto" is mixed_float16 where all GPUs
            have tensor cores; without a GPU mixed_bfloat16 where it is measured
            to be faster; else float32.
        capabilities: Compute capability of each GPU; None asks TensorFlow.
        measure: Gives the seconds of a training step under a policy; None where
            it does not pay, as in a short run. It is asked on a CPU that has
            bfloat16 only.

    Raises:
        TrainingError: When the policy is not known.

    Example:
        >>> choose_precision("auto", capabilities=[(8, 0)]).policy
        'mixed_float16'
        >>> choose_precision("auto", capabilities=[]).reason
        'There is no GPU, and bfloat16 was not measured.'
    """
    require_known(requested, ("auto", *POLICIES), what="precision", error=TrainingError)
    for policy in POLICIES:
        if requested == policy:
            return PrecisionChoice(policy, "It was asked for.")
    found = gpu_capabilities() if capabilities is None else capabilities
    return _choose_for_gpus(found) if found else _choose_for_cpu(measure)


@contextlib.contextmanager
def with_policy(policy: Policy) -> Iterator[None]:
    """Let the models that are built meanwhile compute under a policy.

    A model keeps its policy; those that are built afterwards have the one from before.

    Args:
        policy: Keras dtype policy.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _choose_for_gpus(capabilities: Sequence[Capability]) -> PrecisionChoice:
    lowest = min(capabilities)
    told = f"compute capability {lowest[0]}.{lowest[1]}"
    if lowest < TENSOR_CORES:
        return PrecisionChoice(
            "float32", f"The GPU has {told}, and tensor cores come with 7.0."
        )
    return PrecisionChoice("mixed_float16", f"The GPU has tensor cores ({told}).")


def _choose_for_cpu(measure: Measure | None) -> PrecisionChoice:
    if measure is None:
        return PrecisionChoice(
            "float32", "There is no GPU, and bfloat16 was not measured."
        )
    if not cpu_has_bfloat16():
        return PrecisionChoice(
            "float32", "There is no GPU, and the CPU has no bfloat16."
        )
    gain = measure("float32") / measure("mixed_bfloat16")
    told = f"bfloat16 is {gain:.2f} times as fast as float32 on this CPU, measured"
    if gain < MIN_GAIN:
        return PrecisionChoice("float32", f"{told}; it takes {MIN_GAIN}.")
    return PrecisionChoice("mixed_bfloat16", f"{told}.")


def cpu_has_bfloat16(text: str | None = None) -> bool:
    """Tell whether the CPU has instructions for bfloat16.

    Args:
        text: What Linux tells of it; None reads it, and is no where it cannot.

    Example:
        >>> cpu_has_bfloat16("flags : fpu avx512f amx_bf16")
        True
    """
    if text is None:
        text = CPU_INFO.read_text() if CPU_INFO.exists() else ""
    return not BFLOAT16_FLAGS.isdisjoint(text.split())


def gpu_capabilities() -> tuple[Capability, ...]:
    """Give the compute capability of each GPU; (0, 0) where it is not told."""
    details = (
        tf.config.experimental.get_device_details(device)
        for device in tf.config.list_physical_devices("GPU")
    )
    return tuple(d.get("compute_capability", (0, 0)) for d in details)


def in_float32(model: keras.Model) -> keras.Model:
    """Give a trained model that computes in float32, with the same weights.

    Few digits cost little while gradients of many pixels average, but they move single
    pixels of a prediction, and a processor without bfloat16 is slow in it.

    Args:
        model: A functional model; returned as it is where it is in float32.
    """
    if all(layer.compute_dtype == "float32" for layer in model.layers):
        return model

    def copy(layer: keras.Layer) -> keras.Layer:
        if isinstance(layer, keras.Model):
            return in_float32(layer)
        return type(layer).from_config(layer.get_config() | {"dtype": "float32"})

    copied = keras.models.clone_model(model, clone_function=copy)
    copied.set_weights(model.get_weights())
    return copied
