"""Ctrl-C and a cluster's notice are wishes to stop after the current step."""

import contextlib
import shlex
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def notice_interrupts() -> Iterator[Callable[[], bool]]:
    """Note the first SIGINT or SIGTERM instead of stopping in mid-step.

    A second one acts as it did before: Ctrl-C stops at once. In a thread other
    than the main one, which gets no signals, nothing is changed.

    Returns:
        A function that tells whether to stop.
    """
    has_come = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield has_come.is_set
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:
        has_come.set()
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield has_come.is_set
    finally:
        restore()


def resume_command(run_folder: Path) -> str:
    """Give the command by which a run goes on, as a shell takes it.

    Example:
        >>> resume_command(Path("runs/my steel"))
        "defectkeras train --resume 'runs/my steel'"
    """
    return shlex.join(["defectkeras", "train", "--resume", str(run_folder)])
