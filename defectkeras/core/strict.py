"""Strict forms: a frozen dataclass from a table of a TOML or JSON file, or arguments.

An unknown or a missing key is an error that names the file, the key and the
nearest known key, so that a slip of the pen never changes a result in silence.
"""

import contextlib
import dataclasses
import reprlib
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from defectkeras.core.errors import DefectKerasError
from defectkeras.core.names import suggestion

Form = TypeVar("Form")

_short = reprlib.repr  # an error message is one line


def from_mapping(
    form: type[Form],
    mapping: Mapping[str, Any],
    *,
    where: str,
    error: type[DefectKerasError] = DefectKerasError,
) -> Form:
    """Make a frozen dataclass from a table, strictly.

    Tables in tables become dataclasses, arrays become tuples, and an integer
    is taken where a float is wanted. A field without a default must be given.

    Args:
        form: The dataclass.
        mapping: The table, keys to values.
        where: What the error message calls the table, such as
            "spec.toml [split]".
        error: The error to raise.

    Returns:
        An instance of `form`.

    Raises:
        DefectKerasError: When a key is unknown or missing, or a value is of
            another type (of type `error`).

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Tiling:
        ...     tile_size: int
        ...     overlap: int = 64
        >>> from_mapping(Tiling, {"tile_size": 512}, where="tiling.toml")
        Tiling(tile_size=512, overlap=64)
        >>> from_mapping(Tiling, {"tilesize": 512}, where="tiling.toml")
        Traceback (most recent call last):
        defectkeras.core.errors.DefectKerasError: tiling.toml: unknown key \
'tilesize'. Did you mean 'tile_size'?
    """
    if not isinstance(mapping, Mapping):
        raise error(f"{where}: must be a table. Received: {_short(mapping)}.")
    fields = {f.name: f for f in dataclasses.fields(form)}  # type: ignore[arg-type]
    for key in mapping:
        if key not in fields:
            raise error(f"{where}: unknown key {key!r}.{suggestion(key, fields)}")
    for name, entry in fields.items():
        if name not in mapping and _is_required(entry):
            raise error(f"{where}: missing key {name!r}.")
    hints = typing.get_type_hints(form)
    values = {
        key: _convert(hints[key], value, where=f"{where} {key}", error=error)
        for key, value in mapping.items()
    }
    return form(**values)


def leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give each value that is no table with its dotted key; an empty table has none.

    Example:
        >>> dict(leaves({"epochs": 3, "model": {"filters": 8}}))
        {'epochs': 3, 'model.filters': 8}
    """
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def typed_arguments(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    *,
    where: str,
    error: type[DefectKerasError] = DefectKerasError,
) -> dict[str, Any]:
    """Give keyword arguments in the types that a function names, as `from_mapping`.

    Args:
        function: Its signature has type hints.
        arguments: Their names are among its parameters.
        where: What the error message calls them.
        error: The error to raise.

    Raises:
        DefectKerasError: When a value is of another type (of type `error`).

    Example:
        >>> def pad(size: int, sides: tuple[int, ...] = ()) -> None: ...
        >>> typed_arguments(pad, {"sides": [1, 2]}, where="pad")
        {'sides': (1, 2)}
        >>> typed_arguments(pad, {"size": "2"}, where="pad")
        Traceback (most recent call last):
        defectkeras.core.errors.DefectKerasError: pad size: must be of type int. \
Received: '2'.
    """
    hints = typing.get_type_hints(function)
    return {
        name: _convert(hints[name], value, where=f"{where} {name}", error=error)
        for name, value in arguments.items()
    }


def _is_required(entry: "dataclasses.Field[Any]") -> bool:
    missing = dataclasses.MISSING
    return entry.default is missing and entry.default_factory is missing


def _convert(
    hint: Any, value: Any, *, where: str, error: type[DefectKerasError]
) -> Any:
    """Give the value in the type of the hint, or raise the error."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    converted = value
    if origin in (types.UnionType, typing.Union):
        converted = _convert_union(arguments, value, where=where, error=error)
    elif origin is typing.Literal:
        if not any(type(a) is type(value) and a == value for a in arguments):
            known = [str(a) for a in arguments]
            hint = suggestion(value if isinstance(value, str) else "", known)
            raise error(f"{where}: unknown {_short(value)}.{hint}")
    elif origin is tuple:
        converted = _convert_array(arguments, value, where=where, error=error)
    elif dataclasses.is_dataclass(hint):
        converted = from_mapping(hint, value, where=where, error=error)  # type: ignore[arg-type]
    elif hint is not Any:
        converted = _convert_plain(origin or hint, value, where=where, error=error)
    return converted


def _convert_union(
    arguments: tuple[Any, ...], value: Any, *, where: str, error: type[DefectKerasError]
) -> Any:
    """Give the value in the first type of a union that takes it."""
    if value is None and type(None) in arguments:
        return None
    kinds = [a for a in arguments if a is not type(None)]
    for kind in kinds[:-1]:
        try:
            return _convert(kind, value, where=where, error=error)
        except error:
            continue
    return _convert(kinds[-1], value, where=where, error=error)


def _convert_array(
    arguments: tuple[Any, ...], value: Any, *, where: str, error: type[DefectKerasError]
) -> tuple[Any, ...]:
    """Give an array as a tuple with its entries in the type of the hint."""
    if not isinstance(value, list | tuple):
        raise error(f"{where}: must be an array. Received: {_short(value)}.")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        kinds = (arguments[0],) * len(value)
    else:
        kinds = arguments
    if len(value) != len(kinds):
        raise error(
            f"{where}: must have {len(kinds)} entries. Received: {_short(value)}."
        )
    return tuple(
        _convert(kind, entry, where=f"{where}[{i}]", error=error)
        for i, (kind, entry) in enumerate(zip(kinds, value, strict=True))
    )


def _convert_plain(
    kind: Any, value: Any, *, where: str, error: type[DefectKerasError]
) -> Any:
    """Give a number, text, flag or free table unchanged when its type fits."""
    is_flag = isinstance(value, bool)
    if kind is float and isinstance(value, int) and not is_flag:
        with contextlib.suppress(OverflowError):
            return float(value)
    fits = isinstance(value, kind) and (kind is bool or not is_flag)
    if not fits:
        raise error(
            f"{where}: must be of type {kind.__name__}. Received: {_short(value)}."
        )
    return value
