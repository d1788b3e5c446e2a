"""Names that a user typed, checked against the known ones."""

import difflib
from collections.abc import Iterable

from defectkeras.core.errors import DefectKerasError

_NAMES_SHOWN = 12
_MOST_MEANT = 3  # of names that hold what was typed
_PART = 3  # letters that tell such names apart


def suggestion(name: str, known: Iterable[str], *, most: int = _NAMES_SHOWN) -> str:
    """Say which known name is meant, as the last sentence of an error message.

    Args:
        name: What the user typed.
        known: The names that exist.
        most: How many of them to list.

    Returns:
        " Did you mean 'x'?" for a near name, or for few that hold what was typed or
        have these initials; else the list of known names.

    Example:
        >>> suggestion("defectsegnett", ["defectsegnet", "unet"])
        " Did you mean 'defectsegnet'?"
        >>> suggestion("lr", ["learning_rate", "loss"])
        " Did you mean 'learning_rate'?"
        >>> suggestion("abc", ["y", "x"])
        ' Known: x, y.'
        >>> suggestion("abc", [])
        ' There is none yet.'
    """
    names = sorted(known)
    if not names:
        return " There is none yet."
    spelled = {n.lower(): n for n in names}
    typed = name.lower()
    near = difflib.get_close_matches(typed, spelled, n=1)
    near = near or [n for n in spelled if len(typed) >= _PART and typed in n]
    near = near or [n for n in spelled if typed == _initials(n)]
    if 0 < len(near) <= _MOST_MEANT:
        return f" Did you mean {' or '.join(repr(spelled[n]) for n in near)}?"
    more = len(names) - most
    rest = f", ... ({len(names)} in all)" if more > 0 else ""
    return f" Known: {', '.join(names[:most])}{rest}."


def _initials(name: str) -> str:
    return "".join(part[:1] for part in name.split("_"))


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
