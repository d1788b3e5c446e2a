"""Ctrl-C and a cluster's notice are wishes to stop after the current step."""

import contextlib
import os
import shlex
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from defectkeras.core.errors import StoppedError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """SIGTERM came, as a cluster sends it; Ctrl-C's kin, and no error of a user."""


@contextlib.contextmanager
def raise_at_sigterm() -> Iterator[None]:
    """Let SIGTERM end work as Ctrl-C does, so that what has begun is cleared away.

    In a thread other than the main one, which gets no signals, nothing is changed.

    Raises:
        Terminated: When it comes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, before)  # a second one acts as it did
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def notice_interrupts(unit: str) -> Iterator[Callable[[], int]]:
    """Note the first SIGINT or SIGTERM instead of stopping in mid-step.

    It is answered on stderr at once, since what is waited for may take a minute. A
    second one acts as it did before: Ctrl-C stops at once. In a thread other than the
    main one, which gets no signals, nothing is changed.

    Args:
        unit: What is ended before, such as "this step".

    Returns:
        A function that tells the number of the signal that came, or 0.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: 0
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        restore()
        answer = f"\nStopping after {unit}; Ctrl-C again stops at once.\n"
        with contextlib.suppress(OSError):  # the terminal may be gone
            os.write(2, answer.encode())  # a signal may come while sys.stderr writes

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield lambda: came[0] if came else 0
    finally:
        restore()


def stopped_error(number: int, epoch: int, step: int, run_folder: Path) -> StoppedError:
    """Give the error of a run that was stopped and saved.

    Args:
        number: Of the signal that came to this process, or 0.
        epoch: How many are done.
        step: How many are done in the next one.
        run_folder: Of the run.
    """
    where = (
        f"in epoch {epoch + 1} after step {step}" if step else f"after epoch {epoch}"
    )
    error = StoppedError(
        f"Stopped {where}, and saved. Go on with: {resume_command(run_folder)}"
    )
    error.__cause__ = Terminated() if number == signal.SIGTERM else None
    return error


def resume_command(run_folder: Path) -> str:
    """Give the command by which a run goes on, as a shell takes it.

    Example:
        >>> resume_command(Path("runs/my steel"))
        "defectkeras train --resume 'runs/my steel'"
    """
    return shlex.join(["defectkeras", "train", "--resume", str(run_folder)])
