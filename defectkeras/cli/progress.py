"""A progress bar on stderr, and a line now and then where stderr is no terminal."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from defectkeras.cli.options import talk

SECONDS_PER_LINE = 60.0
"""A file gets so few lines of a long run, and none of a short one."""


@contextlib.contextmanager
def progress_bar(task: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while the block runs.

    Args:
        task: What is done, in a word or two.

    Yields:
        A function to call with the number done and the number of all.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(task)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        row = bar.add_task(task, total=None)

        def update(done: int, total: int) -> None:
            bar.update(row, completed=done, total=total)

        yield update


def _lines(task: str) -> Callable[[int, int], None]:
    """Give a function that says from time to time how much is done."""
    told_at_s = time.monotonic()

    def update(done: int, total: int) -> None:
        nonlocal told_at_s
        if time.monotonic() - told_at_s >= SECONDS_PER_LINE:
            told_at_s = time.monotonic()
            talk(f"{task}: {done} of {total}")

    return update
