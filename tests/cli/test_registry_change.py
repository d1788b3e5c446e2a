"""Aliases, tags, archives and removal, as a user calls them."""

import json
import os
import shutil
import time

import pytest

from defectkeras.registry.store import ModelRegistry


@pytest.fixture
def copied(tiny_registry, tmp_path):
    return shutil.copytree(tiny_registry, tmp_path / "registry")


def test_alias_moves_and_dry_run_does_not(run, ask, copied):
    words = ("registry", "alias", "tiny@1", "production", "--registry", copied)
    dry = run(*words, "--dry-run")
    assert "nothing -> 1" in dry.stderr
    assert run("registry", "show", "tiny@production", "--registry", copied).exit_code
    moved = {"name": "tiny", "alias": "production", "version": 1, "before": None}
    assert ask(*words[1:], "--why", "it is the only one", "--json") == moved
    shown = run("registry", "show", "tiny@production", "--json", "--registry", copied)
    assert json.loads(shown.stdout)["aliases"] == ["production"]


def test_what_an_alias_meant_is_told_from_within_the_lock(ask, two, monkeypatch):
    def read_too_early(*_):
        return {"production": 7}

    def before(*words):
        return ask(*words, "--json", "--registry", two)["before"]

    with monkeypatch.context() as another_promotes_meanwhile:
        another_promotes_meanwhile.setattr(ModelRegistry, "aliases", read_too_early)
        assert before("alias", "tiny@1", "production") is None
        assert before("promote", "tiny@2") == 1
    assert before("rollback", "tiny") == 2


def test_tags_come_and_go(ask, copied):
    words = ("tag", "tiny@1", "keep", "paper", "--json", "--registry", copied)
    assert ask(*words)["tags"] == ["keep", "paper"]
    words = ("tag", "tiny@1", "paper", "--remove", "--json", "--registry", copied)
    assert ask(*words)["tags"] == ["keep"]
    listed = ask("list", "--json", "--registry", copied)
    assert listed[0]["tags"] == ["keep"]


def test_tag_that_another_gave_meanwhile_stays(ask, copied, monkeypatch):
    words = ("tag", "tiny@1", "--json", "--registry", copied)
    ask(*words, "keep")
    with monkeypatch.context() as before_that:
        before_that.setattr(ModelRegistry, "tags", lambda *_: ())
        ask(*words, "paper")
    assert ask(*words)["tags"] == ["keep", "paper"]


def test_gc_tells_first_and_removes_on_a_second_word(ask, two):
    old = time.time() - 90 * 24 * 3600
    os.utime(two / "tiny" / "1", (old, old))
    words = ("gc", "tiny", "--json", "--registry", two)
    told = ask(*words)
    assert [v["reference"] for v in told["versions"]] == ["tiny@1"]
    assert (two / "tiny" / "1").exists()
    assert ask(*words, "--yes")["removed"] is True
    assert not (two / "tiny" / "1").exists()
    assert ask(*words)["versions"] == []
