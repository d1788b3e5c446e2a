import getpass
import json

import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.registry.aliases import BOOK, AliasBook, read_book, write_book


def test_missing_book_is_empty(tmp_path):
    assert read_book(tmp_path) == AliasBook()


def test_moves_are_kept_in_order(tmp_path):
    book = AliasBook(last_version=4)
    for version, why in ((3, "first"), (4, "better"), (3, "roll back")):
        book = book.move("production", version, why=why)
    write_book(book, tmp_path)
    read = read_book(tmp_path)
    assert read == book
    assert read.last_version == 4
    assert read.aliases == {"production": 3}
    steps = [(m.from_version, m.to_version, m.why) for m in read.history]
    assert steps == [(None, 3, "first"), (3, 4, "better"), (4, 3, "roll back")]
    assert all(m.who == getpass.getuser() for m in read.history)
    assert all(m.when.endswith("+00:00") for m in read.history)


def test_a_version_promoted_twice_is_rolled_back_once():
    book = AliasBook()
    for version in (1, 2, 2):
        book = book.move("production", version, why="")
    assert book.holder_before("production") == 1
    book = book.move("production", 2, why="", is_rollback=True)  # as it once was
    assert book.holder_before("production") == 1
    book = book.move("production", 1, why="", is_rollback=True)
    assert book.holder_before("production") is None


def test_holder_that_changed_is_told():
    book = AliasBook().move("production", 2, why="")
    book.require_holder("production", 2)
    book.require_holder("candidate", None)
    with pytest.raises(RegistryError, match=r"mean version 1 .* Received: version 2"):
        book.require_holder("production", 1)


def test_user_without_a_name_is_told_by_number(monkeypatch):
    def fail():
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", fail)
    assert AliasBook().move("a", 1, why="").history[0].who.startswith("uid ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must be JSON"),
        (json.dumps({"schema": 9}), "`schema` 1"),
        (json.dumps({"aliases": {"production": "3"}}), "version number for each"),
        (json.dumps({"alias": {}}), "Did you mean 'aliases'"),
        (json.dumps({"history": [{"alias": "a"}]}), "missing key"),
    ],
)
def test_bad_book_is_told(tmp_path, content, message):
    (tmp_path / BOOK).write_text(content)
    with pytest.raises(RegistryError, match=message):
        read_book(tmp_path)
