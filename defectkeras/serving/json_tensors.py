"""Tensors in JSON, in the row and the column form of TensorFlow Serving's REST API."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from defectkeras.serving.servable import Tensors
from defectkeras.serving.status import Code, StatusError

_WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint32", "uint64")
_REAL = ("float32", "float64")
_PIECE = 10_000


def invalid(message: str) -> StatusError:
    """Give an error that is the client's."""
    return StatusError(Code.INVALID_ARGUMENT, message)


def parse_request(body: bytes) -> dict[str, Any]:
    """Read the body of a prediction.

    Raises:
        StatusError: When it is no JSON object with "instances" or "inputs".
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error}") from error
    if not isinstance(document, dict):
        raise invalid("JSON Value: Is not object")
    if not isinstance(document.get("signature_name", ""), str):
        raise invalid("'signature_name' key must be a string value.")
    given = [key for key in ("inputs", "instances") if key in document]
    if not given:
        raise invalid("Missing 'inputs' or 'instances' key")
    if len(given) == 2:
        raise invalid(
            "Not formatted correctly expecting only one of 'inputs' or 'instances' "
            "keys to exist"
        )
    return document


def read_tensors(document: Mapping[str, Any], infos: Mapping[str, Any]) -> Tensors:
    """Give the inputs of a prediction.

    Args:
        document: From `parse_request`.
        infos: Name of each input to its `TensorInfo`.

    Raises:
        StatusError: When names, types or shapes do not fit.
    """
    if "inputs" in document:
        columns = _columns(document["inputs"], infos)
    else:
        columns = _columns_of_rows(document["instances"], infos)
    try:
        return {n: _tensor(n, v, infos[n].dtype) for n, v in columns.items()}
    except RecursionError as error:
        raise invalid("JSON Value: nested too deep") from error


def write_tensors(tensors: Tensors, *, rows: bool) -> str:
    """Give the body of the reply.

    Args:
        tensors: The outputs by name; (B, ...) each in the row form.
        rows: Whether the request had "instances".
    """
    if len(tensors) == 1:
        ((name, value),) = tensors.items()
        key = "predictions" if rows else "outputs"
        return f'{{"{key}": {_text(name, value)}}}'
    if not rows:
        return f'{{"outputs": {_object(tensors)}}}'
    sizes = {len(value) for value in tensors.values()}
    if len(sizes) > 1:
        raise invalid(f"Tensors have inconsistent batch sizes: {sorted(sizes)}")
    predictions = [
        _object({name: value[row] for name, value in tensors.items()})
        for row in range(*sizes)
    ]
    return f'{{"predictions": [{", ".join(predictions)}]}}'


def _columns(value: Any, infos: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(value, dict) or _is_base64(value):
        if len(infos) > 1:
            raise invalid("inputs is a plain value/list, but expecting an object")
        return {next(iter(infos)): value}
    for name in infos:
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: value[name] for name in infos}


def _columns_of_rows(rows: Any, infos: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(rows, list):
        raise invalid("Expecting 'instances' to be an list/array")
    if not rows:
        raise invalid("No values in 'instances' array")
    named = [isinstance(row, dict) and not _is_base64(row) for row in rows]
    if not any(named):
        if len(infos) > 1:
            raise invalid("instances is a plain list, but expecting list of objects")
        return {next(iter(infos)): rows}
    for position, row in enumerate(rows):
        if not named[position]:
            raise invalid(f"Expecting object but got list at item {position}")
        if set(row) != set(infos):
            raise invalid(
                f"Failed to process element: {position} of 'instances' list. "
                f"keys must be equal to: {','.join(sorted(infos))}"
            )
    return {name: [row[name] for row in rows] for name in infos}


def _tensor(name: str, value: Any, number: int) -> NDArray[Any]:
    dtype = tf.dtypes.as_dtype(number)
    if dtype == tf.string:
        return np.asarray(_bytes(value), dtype=object)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise invalid(f"Encountered list at unexpected size: {error}") from error
    fitting = {"b": ("bool",), "i": (*_WHOLE, *_REAL), "u": (*_WHOLE, *_REAL)}
    if dtype.name not in ("bool", *_WHOLE, *_REAL):
        raise StatusError(
            Code.UNIMPLEMENTED, f"Conversion of JSON Value to type: {dtype.name}"
        )
    if (
        dtype.name not in fitting.get(array.dtype.kind, _REAL)
        or array.dtype.kind == "U"
    ):
        raise invalid(f"JSON Value of {name} is not of expected type: {dtype.name}")
    if array.dtype.kind not in "biuf":
        raise invalid(f"JSON Value of {name} is not of expected type: {dtype.name}")
    return _cast(name, array, dtype.as_numpy_dtype)


def _cast(name: str, array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Give an array in another type; every number must fit into it."""
    if array.size and array.dtype.kind != "b":
        limits = (
            np.iinfo(dtype) if np.issubdtype(dtype, np.integer) else np.finfo(dtype)
        )
        finite = array[np.isfinite(array)]
        if finite.size and not limits.min <= finite.min() <= finite.max() <= limits.max:
            raise invalid(
                f"Cannot convert JSON value of {name} to {np.dtype(dtype).name} "
                "without loss of precision."
            )
    return array.astype(dtype)


def _bytes(value: Any) -> Any:
    if isinstance(value, list):
        return [_bytes(item) for item in value]
    if isinstance(value, str):
        return value.encode()
    if not _is_base64(value):
        raise invalid("JSON Value is not of expected type: string")
    text = value["b64"].translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("Unable to base64 decode") from error


def _is_base64(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"b64"}
        and isinstance(value["b64"], str)
    )


def _object(tensors: Tensors) -> str:
    parts = [f"{json.dumps(n)}: {_text(n, v)}" for n, v in sorted(tensors.items())]
    return f"{{{', '.join(parts)}}}"


def _text(name: str, value: NDArray[Any]) -> str:
    """Write a tensor in pieces.

    Lists of all its numbers would need many times its memory, and Python's interpreter
    does nothing else while it makes and writes a list.
    """
    if value.ndim < 2 or value.size <= _PIECE:
        return json.dumps(_plain(name, value))
    return f"[{', '.join(_text(name, part) for part in value)}]"


def _plain(name: str, value: NDArray[Any]) -> Any:
    """Give lists; bytes as base64 where the name ends so, as text elsewhere."""
    if value.dtype != object:
        return value.tolist()
    if name.endswith("_bytes"):
        return _each(value.tolist(), lambda b: {"b64": base64.b64encode(b).decode()})
    return _each(value.tolist(), lambda b: b.decode(errors="replace"))


def _each(value: Any, form: Any) -> Any:
    if isinstance(value, list):
        return [_each(item, form) for item in value]
    return form(value)
