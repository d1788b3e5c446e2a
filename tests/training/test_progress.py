import dataclasses
import io

from rich.console import Console

from defectkeras.core import pace
from defectkeras.training.checkpoint import RunState
from defectkeras.training.progress import (
    TrainingProgress,
    progress_of,
    show_progress,
)

EVENT = TrainingProgress(2, 5, 10, 40, 0.125, 0.5, 0.75, 1)


def test_bar_is_shown_on_a_terminal():
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=120)
    with show_progress(console) as on_progress:
        on_progress(EVENT)
    assert "epoch 2/5, loss 0.1250" in text.getvalue()
    assert "best 0.750 in epoch 1" in text.getvalue()


def test_of_a_short_run_nothing_is_shown_elsewhere(capfd):
    text = io.StringIO()
    for console in (Console(file=text), None):
        with show_progress(console) as on_progress:
            on_progress(EVENT)
    assert text.getvalue() == ""
    assert capfd.readouterr() == ("", "")


def test_a_long_run_says_now_and_then_how_far_it_is(capfd, monkeypatch):
    monkeypatch.setattr(pace, "SECONDS_PER_LINE", 0.0)
    event = dataclasses.replace(EVENT, best_score=0.12345, best_epoch=10**60)
    with show_progress() as on_progress:
        on_progress(event)
    assert capfd.readouterr() == ("", f"training: {event}\n")


def test_before_the_first_validation_there_is_no_score():
    assert str(TrainingProgress(1, 5, 3, 40, 0.5)) == "epoch 1/5, loss 0.5000"


def test_state_in_an_epoch_and_between_two():
    within = RunState(epoch=1, step=2, loss_sum=1.0, best_score=0.5, best_epoch=1)
    assert progress_of(within, 3, 4, 0.5) == TrainingProgress(
        2, 3, 2, 4, 0.5, 0.5, 0.5, 1
    )
    between = RunState(epoch=2, rows=({"loss": 0.25},))
    assert progress_of(between, 3, 4, None) == TrainingProgress(2, 3, 4, 4, 0.25)
