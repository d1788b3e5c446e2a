"""How far a training run is: an event, a bar on the terminal, lines elsewhere."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from defectkeras.core.pace import now_and_then
from defectkeras.training.checkpoint import RunState


@dataclass(frozen=True)
class TrainingProgress:
    """Where a run stands after a step or a validation.

    Attributes:
        epoch: The current epoch, from 1.
        epochs: How many there are at most.
        step: Steps done in this epoch.
        steps: Steps per epoch.
        loss: Mean loss of this epoch so far.
        score: Mean IoU of the defects at the last validation, or None.
        best_score: The best one so far, or None.
        best_epoch: Its epoch, from 1, or None.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    score: float | None = None
    best_score: float | None = None
    best_epoch: int | None = None

    def __str__(self) -> str:
        """Say it in one line.

        Example:
            >>> print(TrainingProgress(2, 9, 5, 100, 0.25, 0.5, 0.625, 1))
            epoch 2/9, loss 0.2500, mean IoU 0.500 (best 0.625 in epoch 1)
        """
        text = f"epoch {self.epoch}/{self.epochs}, loss {self.loss:.4f}"
        if self.score is None or self.best_score is None:
            return text
        best = f"best {self.best_score:.3f} in epoch {self.best_epoch}"
        return f"{text}, mean IoU {self.score:.3f} ({best})"


OnProgress = Callable[[TrainingProgress], None]


def progress_of(
    state: RunState, epochs: int, steps: int, score: float | None
) -> TrainingProgress:
    """Tell from a state how far a run is; after a validation the step is the last one.

    Args:
        state: Of the run, not its first.
        epochs: How many there are at most.
        steps: Steps per epoch.
        score: Of the last validation, or None.
    """
    is_between = state.step == 0
    loss = state.rows[-1]["loss"] if is_between else state.loss_sum / state.step
    return TrainingProgress(
        epoch=state.epoch if is_between else state.epoch + 1,
        epochs=epochs,
        step=steps if is_between else state.step,
        steps=steps,
        loss=loss,
        score=score,
        best_score=state.best_score,
        best_epoch=state.best_epoch,
    )


@contextlib.contextmanager
def show_progress(console: Console | None = None) -> Iterator[OnProgress]:
    """Show a bar on the terminal while a run goes on.

    Args:
        console: Where to; None takes stderr. Where it is not a terminal there is a
            line now and then.

    Returns:
        What `train` takes as `on_progress`.
    """
    console = Console(stderr=True) if console is None else console
    if not console.is_terminal:
        say = now_and_then(partial(console.print, soft_wrap=True, highlight=False))
        yield lambda progress: say(f"training: {progress}")
        return
    columns = (BarColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("training", total=None)

        def on_progress(progress: TrainingProgress) -> None:
            bar.update(
                task,
                total=progress.epochs * progress.steps,
                completed=(progress.epoch - 1) * progress.steps + progress.step,
                description=str(progress),
            )

        yield on_progress
