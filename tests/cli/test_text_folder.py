"""Folders whose names are no text."""

import os

import pytest

COMMANDS = (
    ("analyze", "field.tif", "--model", "x", "--out"),
    ("train", "--resume"),
    ("data", "synthesize"),
)


@pytest.mark.parametrize("words", COMMANDS)
def test_name_in_other_bytes_is_refused_at_once(run, tmp_path, words):
    folder = tmp_path / os.fsdecode(b"r\xe9sultats")
    result = run(*words, folder)
    assert result.exit_code == 2
    last = result.stderr.splitlines()[-1]
    assert r"r\udce9sultats: names must be text in UTF-8" in last
    assert not folder.exists()
