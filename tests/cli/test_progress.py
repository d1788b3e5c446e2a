"""A bar for people, few lines in a file."""

from defectkeras.cli.progress import progress_bar
from defectkeras.core import pace


def work():
    with progress_bar("working") as update:
        update(1, 3)
        update(3, 3)


def test_a_short_run_says_nothing_where_stderr_is_no_terminal(capsys):
    work()
    assert capsys.readouterr() == ("", "")


def test_a_long_run_says_now_and_then_how_far_it_is(capsys, monkeypatch):
    monkeypatch.setattr(pace, "SECONDS_PER_LINE", 0.0)
    work()
    assert capsys.readouterr() == ("", "working: 1 of 3\nworking: 3 of 3\n")
