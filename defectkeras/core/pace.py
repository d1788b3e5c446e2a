"""How often a long run says how far it is where no bar can be shown."""

import time
from collections.abc import Callable

SECONDS_PER_LINE = 60.0
"""A file gets so few lines of a long run, and none of a short one."""


def now_and_then(say: Callable[[str], None]) -> Callable[[str], None]:
    """Give a function that says a line only when the one before is old enough.

    Args:
        say: Writes a line.
    """
    told_at_s = time.monotonic()

    def say_seldom(text: str) -> None:
        nonlocal told_at_s
        if time.monotonic() - told_at_s >= SECONDS_PER_LINE:
            told_at_s = time.monotonic()
            say(text)

    return say_seldom
