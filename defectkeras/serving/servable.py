"""One version in memory, asked by signature and names as TensorFlow Serving is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from defectkeras.registry.load import load_signatures
from defectkeras.registry.version import ModelVersion
from defectkeras.serving.status import Code, StatusError, code_of

Tensors = Mapping[str, NDArray[Any]]
"""Name to an array; text and files are arrays of `bytes` objects."""

_NO_TRACES = "<stack traces unavailable>\n"
"""Ends what Python's TensorFlow puts before a message of its runtime."""


@dataclass(frozen=True, eq=False)
class Servable:
    """A version that is loaded.

    Attributes:
        version: What it is.
        signatures: Name of a signature to the function behind it.
        definitions: Name to `SignatureDef`, all that the SavedModel has.
    """

    version: ModelVersion
    signatures: Mapping[str, Callable[..., dict[str, Any]]]
    definitions: Mapping[str, meta_graph_pb2.SignatureDef]

    def inputs_of(self, signature: str) -> Mapping[str, meta_graph_pb2.TensorInfo]:
        """Give what a signature takes.

        Raises:
            StatusError: When there is no such signature.
        """
        if signature not in self.signatures:
            raise StatusError(
                Code.FAILED_PRECONDITION,
                f'Serving signature key "{signature}" not found.',
            )
        inputs: Mapping[str, Any] = self.definitions[signature].inputs
        return inputs

    def check(self, signature: str, inputs: Tensors, outputs: Sequence[str]) -> None:
        """Check a request before it is computed.

        Args:
            signature: Name of the signature.
            inputs: By name.
            outputs: Names of the outputs that are wanted; none are all.

        Raises:
            StatusError: When names, types or shapes are not those of the signature,
                or pixels are not finite.
        """
        expected = self.inputs_of(signature)
        if set(inputs) != set(expected):
            raise StatusError(Code.INVALID_ARGUMENT, _names_differ(inputs, expected))
        for name, value in inputs.items():
            _check_tensor(name, value, expected[name])
        known = self.definitions[signature].outputs
        for position, name in enumerate(outputs):
            if name not in known:
                raise StatusError(
                    Code.INVALID_ARGUMENT,
                    f"output tensor alias not found in signature: {name} Outputs "
                    f"expected to be in the set {{{','.join(sorted(known))}}}.",
                )
            if name in outputs[:position]:
                raise StatusError(
                    Code.INVALID_ARGUMENT, f"duplicate output tensor alias: {name}"
                )

    def run(
        self, signature: str, inputs: Tensors, outputs: Sequence[str] = ()
    ) -> dict[str, NDArray[Any]]:
        """Compute a request that was checked.

        Args:
            signature: Name of the signature.
            inputs: By name, (N, ...) each.
            outputs: Names of the outputs that are wanted; none are all.

        Raises:
            StatusError: When TensorFlow cannot compute it, such as a file that is no
                image.
        """
        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        try:
            found = self.signatures[signature](**tensors)
            return {name: found[name].numpy() for name in outputs or sorted(found)}
        except tf.errors.OpError as error:
            told = error.message.rpartition(_NO_TRACES)[2]
            raise StatusError(code_of(error.error_code), told) from error


def load_servable(version: ModelVersion) -> Servable:
    """Load a version: its files and its golden are checked first.

    Args:
        version: From `ModelRegistry.resolve`.

    Raises:
        RegistryError: When it is damaged.
    """
    return Servable(version, load_signatures(version), read_definitions(version))


def read_definitions(version: ModelVersion) -> dict[str, meta_graph_pb2.SignatureDef]:
    """Read which signatures a version has, without loading it."""
    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((version.path / "saved_model.pb").read_bytes())
    return dict(saved_model.meta_graphs[0].signature_def)


def _check_tensor(name: str, value: NDArray[Any], expected: Any) -> None:
    dtype = tf.dtypes.as_dtype(expected.dtype)
    given = tf.string if value.dtype == object else tf.dtypes.as_dtype(value.dtype)
    if given != dtype:
        raise StatusError(
            Code.INVALID_ARGUMENT,
            f"Expects {name} to be {dtype.name} but {given.name} is provided",
        )
    shape = tf.TensorShape(expected.tensor_shape)
    if not shape.is_compatible_with(value.shape) or value.size == 0:
        raise StatusError(
            Code.INVALID_ARGUMENT,
            f"Expects {name} to have shape {shape} and at least one element but "
            f"{list(value.shape)} is provided",
        )
    if value.dtype.kind == "f":
        _require_finite(name, value)


def _require_finite(name: str, value: NDArray[Any]) -> None:
    """Refuse pixels that would come out as NaN; those of integers are finite."""
    low, high = value.min(), value.max()  # NaN goes through both
    with np.errstate(over="ignore", invalid="ignore"):
        span = high - low
    if not np.isfinite(span):
        raise StatusError(
            Code.INVALID_ARGUMENT,
            f"Expects the pixels of {name} to be finite numbers, their span too, but "
            f"{low:g} to {high:g} is provided",
        )


def _names_differ(given: Tensors, expected: Mapping[str, Any]) -> str:
    def names(found: Any) -> str:
        return "{" + ",".join(sorted(found)) + "}"

    return (
        f"input size does not match signature: {len(given)}!={len(expected)} "
        f"len({names(given)}) != len({names(expected)}). "
        f"Sent extra: {names(set(given) - set(expected))}. "
        f"Missing but required: {names(set(expected) - set(given))}."
    )
