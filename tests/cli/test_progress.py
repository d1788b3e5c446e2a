"""A bar for people, silence elsewhere."""

from defectkeras.cli.progress import progress_bar


def test_no_bar_where_stderr_is_no_terminal(capsys):
    with progress_bar("working") as update:
        update(1, 3)
        update(3, 3)
    assert capsys.readouterr() == ("", "")
