"""Names that a user typed, checked against the known ones."""

import difflib
from collections.abc import Iterable

from defectkeras.core.errors import DefectKerasError

_NAMES_SHOWN = 12


def suggestion(name: str, known: Iterable[str]) -> str:
    """Say which known name is meant, as the last sentence of an error message.

    Args:
        name: What the user typed.
        known: The names that exist.

    Returns:
        " Did you mean 'x'?" for a near name, else the list of known names.

    Example:
        >>> suggestion("defectsegnett", ["defectsegnet", "unet"])
        " Did you mean 'defectsegnet'?"
        >>> suggestion("abc", ["y", "x"])
        ' Known: x, y.'
        >>> suggestion("abc", [])
        ' There is none yet.'
    """
    names = sorted(known)
    if not names:
        return " There is none yet."
    spelled = {n.lower(): n for n in names}
    near = difflib.get_close_matches(name.lower(), spelled, n=1)
    if near:
        return f" Did you mean {spelled[near[0]]!r}?"
    more = len(names) - _NAMES_SHOWN
    rest = f", ... ({len(names)} in all)" if more > 0 else ""
    return f" Known: {', '.join(names[:_NAMES_SHOWN])}{rest}."


def require_known(
    name: str,
    known: Iterable[str],
    *,
    what: str,
    error: type[DefectKerasError] = DefectKerasError,
) -> str:
    """Give the name back, or raise an error that names the nearest known one.

    Args:
        name: What the user typed.
        known: The names that exist.
        what: What the name is for, such as "architecture".
        error: The error to raise.

    Returns:
        The name, unchanged.

    Raises:
        DefectKerasError: When the name is not known (of type `error`).
    """
    names = list(known)
    if name not in names:
        raise error(f"Unknown {what} {name!r}.{suggestion(name, names)}")
    return name
