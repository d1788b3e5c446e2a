"""What there is in the registry, for people and for programs."""

import json
import shutil

import pytest

from defectkeras.registry.compare import Difference


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
    assert card["card"]["architecture"] == "patch_classifier"
    assert card["sha256"] == rows[0]["sha256"]
    page = run("registry", "show", "tiny@1", "--registry", copied)
    assert page.stdout.startswith("# tiny")


def test_damage_is_told_in_its_row(run, copied):
    shutil.copytree(copied / "tiny", copied / "other")
    (copied / "tiny" / "2").mkdir()
    (copied / "other" / "aliases.json").write_text("{")
    words = ("registry", "list", "--registry", copied)
    other, tiny, second = run(*words).stdout.splitlines()
    assert other.startswith("other@1 cannot be shown: ")
    assert tiny.startswith("tiny@1 patch_classifier")
    assert "tiny@2 must be as it was published" in second
    rows = json.loads(run(*words, "--json").stdout)
    assert [row["damage"] is None for row in rows] == [False, True, False]
    result = run("registry", "verify", "other", "tiny", "--registry", copied)
    assert result.exit_code == 1
    assert "other@1: all files and predictions are" in result.stderr
    assert result.stderr.splitlines()[-1] == "Error: Damaged: tiny, other."


def test_empty_registry_says_what_to_do(run, tmp_path):
    result = run("registry", "list", "--registry", tmp_path)
    assert result.exit_code == 0
    assert "defectkeras train" in result.stderr
    assert result.stdout == ""


def test_verify_of_no_version_is_no_success(run, tmp_path):
    result = run("registry", "verify", "--registry", tmp_path / "typo")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "typo must have a model." in result.stderr


def test_diff_and_lineage(run, copied, monkeypatch):
    words = ("registry", "diff", "tiny@1", "tiny", "--registry", copied)
    result = run(*words)
    assert (result.stdout, result.exit_code) == ("", 0)
    assert json.loads(run(*words, "--json").stdout) == []
    entry = Difference("pixel_size_range_nm", None, [0.5599999999999999, 2.0])
    monkeypatch.setattr(
        "defectkeras.registry.compare.diff_versions", lambda *_: [entry]
    )
    assert run(*words).stdout == "pixel_size_range_nm: none -> [0.56, 2.0]\n"
    words = ("registry", "lineage", "tiny", "--json", "--registry", copied)
    chain = json.loads(run(*words).stdout)
    assert [step["reference"] for step in chain] == ["tiny@1"]
    assert chain[0]["fingerprint"].startswith("sha256:")


def test_verify_finds_a_flipped_byte(run, copied):
    words = ("registry", "verify", "--json", "--registry", copied)
    sound = run(*words)
    (row,) = json.loads(sound.stdout)
    assert (row["reference"], row["damage"]) == ("tiny@1", None)
    assert 0 < row["export"]["tiles"]["largest_difference"] < 1e-3
    assert "off from float64: serving_default" in sound.stderr
    path = next((copied / "tiny" / "1" / "variables").glob("*.data*"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    result = run(*words)
    assert result.exit_code == 1
    assert path.name in result.stderr
    for command in (("promote", "tiny@1"), ("alias", "tiny@1", "production")):
        refused = run("registry", *command, "--registry", copied)
        assert refused.exit_code == 1
        assert f"{path.name} was changed" in refused.stderr
        assert "->" not in refused.stderr


def test_import_wants_a_file(run, tmp_path):
    result = run("registry", "import", tmp_path / "no such.tar.gz", "--trust")
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_import_wants_the_classes_once(run, tmp_path):
    path = tmp_path / "old.h5"
    path.touch()
    for words in ((), ("--classes", "matrix, void:region", "--spec", tmp_path)):
        result = run("registry", "import", path, "--name", "old", *words)
        assert result.exit_code == 2
        assert "either --classes or --spec" in result.stderr


def test_import_tells_what_it_takes(run, tmp_path):
    path, root = tmp_path / "a.txt", tmp_path / "registry"
    path.touch()
    words = ("--classes", "matrix, void:region", "--registry", root, "--dry-run")
    result = run("registry", "import", path, "--name", "old", *words)
    assert result.exit_code == 1
    assert "must be one of: a model of Keras (.h5, .keras" in result.stderr
    assert not root.exists()
