import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defectkeras.core.errors import DefectKerasError
from defectkeras.core.files import (
    require_free,
    sha256_of_file,
    whole_file,
    whole_folder,
    write_json,
    write_whole,
)


class PowerCutError(Exception):
    """What a test throws into the middle of a writing."""


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def write_file_and_fail(path):
    with whole_file(path) as temporary:
        temporary.write_text("half")
        assert path.read_text() == "old"
        assert temporary.suffix == path.suffix
        raise PowerCutError


def lose_folder_while_writing(path):
    with whole_folder(path, replace=True) as temporary:
        temporary.rmdir()


def write_folder_and_fail(path, *, replace=False):
    with whole_folder(path, replace=replace) as temporary:
        (temporary / "f").write_text("half")
        raise PowerCutError


def write_folder_while_another_writes(path):
    with whole_folder(path) as temporary:
        (temporary / "f").write_text("mine")
        path.mkdir()


def fill_the_disk():
    Path("/dev/full").write_bytes(b"x")


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_a_full_disk_names_the_file_or_the_folder(tmp_path, whole):
    path = tmp_path / "out"
    with pytest.raises(OSError, match="No space left") as told, whole(path):
        fill_the_disk()
    assert told.value.filename == str(path)
    assert not names_in(tmp_path)


def test_a_full_disk_names_no_hidden_file_in_a_folder(tmp_path):
    path = tmp_path / "out"
    with (
        pytest.raises(OSError, match="No space left") as told,
        whole_folder(path) as temporary,
        whole_file(temporary / "table.csv"),
    ):
        fill_the_disk()
    assert told.value.filename == str(path)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_sha256_is_that_of_the_whole_contents(tmp_path, size):
    data = os.urandom(size)
    (tmp_path / "f").write_bytes(data)
    assert sha256_of_file(tmp_path / "f") == hashlib.sha256(data).hexdigest()


def test_what_is_there_gives_way_only_when_told(tmp_path):
    require_free(tmp_path / "new", overwrite=False)
    require_free(tmp_path, overwrite=True)
    with pytest.raises(DefectKerasError, match="--overwrite"):
        require_free(tmp_path, overwrite=False)


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=100) | st.text(max_size=30))
def test_written_is_read(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("w") / "new" / "folder" / "a.txt"
    write_whole(path, content)
    data = path.read_bytes()
    assert data == (content.encode() if isinstance(content, str) else content)
    assert names_in(path.parent) == ["a.txt"]


def test_an_older_file_is_replaced_and_stays_when_the_writer_fails(tmp_path):
    path = tmp_path / "a.txt"
    write_whole(path, "old")
    with pytest.raises(PowerCutError):
        write_file_and_fail(path)
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["a.txt"]
    write_whole(path, "new")
    assert path.read_text() == "new"


def test_a_writer_that_writes_nothing_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_whole(path, "old")
    with pytest.raises(FileNotFoundError), whole_file(path):
        pass
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["a.txt"]


LONGEST = ("a" * 250 + ".json", "µ" * 125 + ".json")  # of a file system


@pytest.mark.parametrize(
    "name", ["no_suffix", ".hidden", "a.tar.gz", "ü µ.json", *LONGEST]
)
def test_any_name_is_written(tmp_path, name):
    write_whole(tmp_path / name, "x")
    assert names_in(tmp_path) == [name]


def test_the_longest_name_of_a_folder_is_written(tmp_path):
    folder = tmp_path / ("b" * 255)
    with whole_folder(folder) as temporary:
        (temporary / "f").write_text("x")
    assert (folder / "f").read_text() == "x"


def test_json_is_read_back_and_has_no_nan(tmp_path):
    value = {"a": [1, 2.5, None, True], "b": {"c": "µ"}}
    write_json(tmp_path / "a.json", value)
    assert json.loads((tmp_path / "a.json").read_text()) == value
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text()) == value


def test_a_folder_appears_whole(tmp_path):
    path = tmp_path / "new" / "run"
    with whole_folder(path) as temporary:
        (temporary / "deep" / "er").mkdir(parents=True)
        (temporary / "deep" / "er" / "f").write_text("x")
        assert not path.exists()
    assert (path / "deep" / "er" / "f").read_text() == "x"
    assert names_in(path.parent) == ["run"]


def test_a_failed_folder_leaves_nothing(tmp_path):
    with pytest.raises(PowerCutError):
        write_folder_and_fail(tmp_path / "run")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("inside", [[], ["f"]])
def test_an_existing_folder_is_refused_before_any_work(tmp_path, inside):
    path = tmp_path / "run"
    path.mkdir()
    for name in inside:
        (path / name).write_text("old")
    with pytest.raises(FileExistsError):
        write_folder_and_fail(path)
    assert names_in(path) == inside
    assert names_in(tmp_path) == ["run"]


def test_a_folder_that_another_writer_made_meanwhile_stays(tmp_path):
    path = tmp_path / "run"
    with pytest.raises(FileExistsError):
        write_folder_while_another_writes(path)
    assert names_in(tmp_path) == ["run"]
    assert names_in(path) == []


@pytest.mark.parametrize("inside", [[], ["f"], ["f", "g"]])
def test_an_older_folder_gives_way_when_that_is_wanted(tmp_path, inside):
    path = tmp_path / "run"
    path.mkdir()
    for name in inside:
        (path / name).write_text("old")
    with whole_folder(path, replace=True) as temporary:
        (temporary / "f").write_text("new")
        assert names_in(path) == inside
    assert names_in(path) == ["f"]
    assert (path / "f").read_text() == "new"
    assert names_in(tmp_path) == ["run"]


def test_an_older_folder_stays_when_the_new_one_fails(tmp_path):
    path = tmp_path / "run"
    path.mkdir()
    (path / "f").write_text("old")
    with pytest.raises(PowerCutError):
        write_folder_and_fail(path, replace=True)
    with pytest.raises(FileNotFoundError):
        lose_folder_while_writing(path)
    assert (path / "f").read_text() == "old"
    assert names_in(tmp_path) == ["run"]


def test_a_killed_writer_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "a.bin"
    write_whole(path, b"old")
    code = (
        "import sys; from pathlib import Path\n"
        "from defectkeras.core.files import write_whole\n"
        "print('go', flush=True)\n"
        "while True: write_whole(Path(sys.argv[1]), bytes([7]) * 3_000_000)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE
    ) as writer:
        writer.stdout.readline()
        time.sleep(0.1)
        writer.send_signal(signal.SIGKILL)
    assert path.read_bytes() in (b"old", bytes([7]) * 3_000_000)


def test_what_a_killed_writer_left_of_a_folder_goes_with_the_next(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from defectkeras.core.files import whole_folder\n"
        "with whole_folder(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'part').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    target = tmp_path / "field"
    killed = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert killed.returncode == -9
    assert len([p for p in tmp_path.iterdir() if p.is_dir()]) == 1
    with whole_folder(tmp_path / "another"):
        pass
    assert any(tmp_path.glob(".*-field"))  # of another folder it is not touched
    with whole_folder(target) as first:
        (first / "whole").touch()
        with whole_folder(target, replace=True):  # two at work at once
            pass
        assert (first / "whole").exists()
        shutil.rmtree(target)
    assert {p.name for p in tmp_path.iterdir()} == {"another", "field"}
    assert [p.name for p in target.iterdir()] == ["whole"]
