import json
import os
import shutil
import subprocess

import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.registry.manifest import (
    MANIFEST,
    find_damage,
    read_manifest,
    require_undamaged,
    write_manifest,
)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "1"
    for name in ("saved_model.pb", "variables/variables.index", MANIFEST.as_posix()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    write_manifest(folder)
    return folder


def test_manifest_names_every_file_but_itself(folder):
    assert set(read_manifest(folder).files) == {
        "saved_model.pb",
        "variables/variables.index",
    }
    assert find_damage(folder) == ()
    require_undamaged(folder)


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
def test_version_sha256_is_what_the_tool_gives(folder):
    lines = subprocess.run(
        ["sha256sum", *sorted(read_manifest(folder).files)],
        cwd=folder,
        capture_output=True,
        check=True,
    ).stdout
    told = subprocess.run(["sha256sum"], input=lines, capture_output=True, check=True)
    assert read_manifest(folder).sha256 == told.stdout.decode().split()[0]


def test_every_damage_is_named(folder):
    (folder / "saved_model.pb").write_text("saved_model.pc")
    (folder / "variables/variables.index").unlink()
    (folder / "variables/plugin.so").write_text("")
    assert find_damage(folder) == (
        "saved_model.pb was changed",
        "variables/plugin.so does not belong there",
        "variables/variables.index is missing",
    )
    with pytest.raises(RegistryError, match=r"changed; .*not belong.*; .*missing"):
        require_undamaged(folder)


def test_link_to_the_same_contents_is_damage(folder, tmp_path):
    shutil.move(folder / "saved_model.pb", tmp_path / "elsewhere")
    (folder / "saved_model.pb").symlink_to(tmp_path / "elsewhere")
    assert find_damage(folder) == ("saved_model.pb was changed",)


def test_pipe_is_damage_and_does_not_hang(folder):
    os.mkfifo(folder / "pipe")
    assert find_damage(folder) == ("pipe does not belong there",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "must be JSON"),
        pytest.param("[" * 200_000, "must be JSON", id="deep"),
        ("[]", "must be a table"),
        (json.dumps({"schema": 2, "files": {}}), "`schema` 1"),
        (json.dumps({"schema": 1, "files": {"a": 1}}), "SHA-256 for each file"),
        (json.dumps({"schema": 1, "file": {}}), "Did you mean 'files'"),
    ],
)
def test_bad_manifest_is_told(folder, content, message):
    (folder / MANIFEST).write_text(content)
    with pytest.raises(RegistryError, match=message):
        find_damage(folder)


def test_missing_manifest_is_told(folder):
    (folder / MANIFEST).unlink()
    with pytest.raises(RegistryError, match="cannot be read: No such file"):
        find_damage(folder)
