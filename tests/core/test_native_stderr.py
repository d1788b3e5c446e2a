import os

import pytest

from defectkeras.core.native_stderr import held_back_stderr


def fail(text, error):
    with held_back_stderr(OSError):
        os.write(2, text)
        raise error


def test_only_an_error_that_says_nothing_shows_what_was_held_back(capfd):
    with held_back_stderr():
        os.write(2, b"a note")
    with pytest.raises(OSError, match="told"):
        fail(b"details", OSError("told"))
    assert capfd.readouterr().err == ""
    with pytest.raises(KeyError):
        fail(b"why", KeyError())
    os.write(2, b", and on")
    assert capfd.readouterr().err == "why, and on"
