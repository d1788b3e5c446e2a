import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.registry.aliases import read_book
from defectkeras.registry.folders import (
    find_collisions,
    find_versions,
    publish_folder,
    require_writable,
    staging_folder,
    told_plainly,
)
from defectkeras.registry.manifest import find_damage
from defectkeras.registry.names import parse_served_version

WRITER = [sys.executable, str(Path(__file__).with_name("writer.py"))]


def publish(folder: Path) -> int:
    with staging_folder(folder) as staging:
        (staging / "saved_model.pb").write_text("model")
        return publish_folder(staging)


def test_folder_is_tried_and_left_as_it_was(tmp_path):
    require_writable(tmp_path / "voids")
    assert list((tmp_path / "voids").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(RegistryError, match="must be writable"):
        require_writable(tmp_path / "file" / "voids")


def start_writer(folder: Path, count: int) -> subprocess.Popen:
    process = subprocess.Popen([*WRITER, folder, str(count)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    return process


def assert_sound(folder: Path) -> None:
    """Every folder that TensorFlow Serving would load is complete, and was noted."""
    for path in folder.iterdir():
        if parse_served_version(path.name) is not None:
            assert find_damage(path) == ()
    assert max(find_versions(folder), default=0) <= read_book(folder).last_version


def test_numbers_rise_from_one(tmp_path):
    folder = tmp_path / "saved_models" / "tiny"
    assert find_versions(folder) == ()
    assert [publish(folder) for _ in range(3)] == [1, 2, 3]
    assert find_versions(folder) == (1, 2, 3)
    assert sorted(p.name for p in folder.iterdir() if p.name[0] == ".") == [".lock"]


def test_number_of_a_deleted_version_is_not_given_again(tmp_path):
    publish(tmp_path), publish(tmp_path)
    shutil.rmtree(tmp_path / "2")
    assert publish(tmp_path) == 3


def test_version_that_was_copied_in_by_hand_is_counted(tmp_path):
    (tmp_path / "41").mkdir()
    assert publish(tmp_path) == 42


def test_names_that_mean_a_number_to_the_server_are_not_doubled(tmp_path):
    (tmp_path / "+1").mkdir()
    (tmp_path / "002").mkdir()
    (tmp_path / "3").write_text("a file")
    assert publish(tmp_path) == 4
    assert find_versions(tmp_path) == (4,)


def test_collisions_are_found(tmp_path):
    for name in ("3", "003", " 3", "30", "3.tmp"):
        (tmp_path / name).mkdir()
    assert find_collisions(tmp_path, 3) == (" 3", "003")
    assert find_collisions(tmp_path, 30) == ()


def test_folder_that_comes_in_between_is_kept(tmp_path, monkeypatch):
    rename = Path.rename

    def late(source, target):
        monkeypatch.setattr(Path, "rename", rename)
        Path(target).mkdir()
        (Path(target) / "foreign").write_text("foreign")
        return source.rename(target)

    monkeypatch.setattr(Path, "rename", late)
    assert publish(tmp_path) == 2
    assert (tmp_path / "1" / "foreign").read_text() == "foreign"


def test_last_possible_number_is_told(tmp_path):
    (tmp_path / "9223372036854775806").mkdir()
    with pytest.raises(RegistryError, match="Rename that folder"):
        publish(tmp_path)


def test_failed_filling_leaves_nothing(tmp_path):
    def fail(staging):
        (staging / "half").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), staging_folder(tmp_path) as staging:
        fail(staging)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_is_removed_after_a_day(tmp_path):
    old, new = tmp_path / ".staging-old", tmp_path / ".staging-new"
    for path in (old, new):
        (path / "variables").mkdir(parents=True)
    (tmp_path / ".0123-aliases.json").write_text("{")
    two_days_ago = time.time() - 2 * 24 * 3600
    for path in (old, tmp_path / ".0123-aliases.json"):
        os.utime(path, (two_days_ago, two_days_ago))
    assert publish(tmp_path) == 1
    assert not old.exists()
    assert new.exists()
    assert not (tmp_path / ".0123-aliases.json").exists()


def test_twenty_killed_writers_leave_only_complete_versions(tmp_path):
    random = np.random.default_rng(0)
    published = 0
    for _ in range(20):
        process = start_writer(tmp_path, 1000)
        time.sleep(random.uniform(0.0, 0.15))
        process.kill()
        process.wait()
        process.stdout.close()
        assert_sound(tmp_path)
        assert len(find_versions(tmp_path)) >= published, "a version was lost"
        published = len(find_versions(tmp_path))
    assert published > 0
    numbers = find_versions(tmp_path)
    assert publish(tmp_path) > numbers[-1]


def test_writer_that_dies_at_any_step_leaves_only_complete_versions(tmp_path):
    publish(tmp_path / "tiny")
    shutil.rmtree(tmp_path / "tiny" / "1")
    for call in range(1, 100):
        command = [*WRITER, tmp_path / "tiny", "1", "--die-at", str(call)]
        ended = subprocess.run(command, capture_output=True, check=False)
        assert_sound(tmp_path / "tiny")
        if ended.returncode != 9:
            break
    assert ended.returncode == 0
    assert call > 10
    assert find_versions(tmp_path / "tiny")[0] > 1


def test_four_writers_at_once_get_numbers_without_a_gap(tmp_path):
    writers = [start_writer(tmp_path, 6) for _ in range(4)]
    while any(w.poll() is None for w in writers):
        assert_sound_while_writing(tmp_path)
    for writer in writers:
        writer.stdout.close()
        assert writer.returncode == 0
    assert find_versions(tmp_path) == tuple(range(1, 25))
    assert_sound(tmp_path)


def assert_sound_while_writing(folder: Path) -> None:
    """What the server's poller sees at any moment is complete."""
    for version in find_versions(folder)[-2:]:
        assert find_damage(folder / str(version)) == ()


def test_a_folder_that_cannot_be_copied_is_told_in_one_line(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "a").mkdir(parents=True)
    target.mkdir()
    (target / "a").write_text("no place for a folder")
    with (
        pytest.raises(RegistryError, match=r"but: File exists\. Nothing"),
        told_plainly(target),
    ):
        shutil.copytree(source, target, dirs_exist_ok=True)
