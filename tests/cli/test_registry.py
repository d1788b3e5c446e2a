"""What there is in the registry, for people and for programs."""

import json
import shutil

import pytest


@pytest.fixture
def copied(tiny_registry, tmp_path):
    return shutil.copytree(tiny_registry, tmp_path / "registry")


def test_list_and_show(run, copied):
    listed = run("registry", "list", "--registry", copied)
    assert listed.exit_code == 0
    assert listed.stdout.startswith("tiny@1")
    rows = json.loads(run("registry", "list", "--json", "--registry", copied).stdout)
    assert [row["reference"] for row in rows] == ["tiny@1"]
    shown = run("registry", "show", "tiny", "--json", "--registry", copied)
    card = json.loads(shown.stdout)
    assert card["card"]["architecture"] == "defectsegnet"
    assert card["sha256"] == rows[0]["sha256"]
    page = run("registry", "show", "tiny@1", "--registry", copied)
    assert page.stdout.startswith("# tiny")


def test_empty_registry_says_what_to_do(run, tmp_path):
    result = run("registry", "list", "--registry", tmp_path)
    assert result.exit_code == 0
    assert "defectkeras train" in result.stderr
    assert result.stdout == ""


def test_alias_moves_and_dry_run_does_not(run, copied):
    words = ("registry", "alias", "tiny@1", "production", "--registry", copied)
    dry = run(*words, "--dry-run")
    assert "nothing -> 1" in dry.stderr
    assert run("registry", "show", "tiny@production", "--registry", copied).exit_code
    assert run(*words, "--why", "it is the only one").exit_code == 0
    shown = run("registry", "show", "tiny@production", "--json", "--registry", copied)
    assert json.loads(shown.stdout)["aliases"] == ["production"]


def test_verify_finds_a_flipped_byte(run, copied):
    words = ("registry", "verify", "tiny", "--registry", copied)
    assert run(*words).exit_code == 0
    path = next((copied / "tiny" / "1" / "variables").glob("*.data*"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    result = run(*words)
    assert result.exit_code == 1
    assert path.name in result.stderr
