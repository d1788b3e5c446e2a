"""A progress bar on stderr, and a line now and then where stderr is no terminal."""

import contextlib
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
from defectkeras.core.pace import now_and_then


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
        say = now_and_then(talk)
        yield lambda done, total: say(f"{task}: {done} of {total}")
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
