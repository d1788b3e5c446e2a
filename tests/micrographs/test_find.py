from pathlib import Path

import pytest

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.find import find_micrographs, notes_of_left_out
from defectkeras.micrographs.read import read_micrograph


def test_find_micrographs_in_files_and_folders(tmp_path):
    for name in ("b.tif", "a.PNG", ".hidden.tif", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.tif").mkdir()
    (tmp_path / "lost.tif").symlink_to("nowhere")
    other = tmp_path / "notes.txt"

    found = find_micrographs([other, tmp_path, tmp_path / "b.tif"])

    assert found == [
        other,
        tmp_path / "a.PNG",
        tmp_path / "b.tif",
        tmp_path / "lost.tif",
    ]
    with pytest.raises(MicrographError, match="a link that leads nowhere"):
        read_micrograph(found[-1])  # so it is told among those that fail


def test_images_of_formats_that_are_not_read_are_told(tmp_path):
    for name in ("a.png", "b.json", "c.txt", "d", "._e.gif"):
        (tmp_path / name).touch()
    assert notes_of_left_out([tmp_path, tmp_path / "a.png"]) == []
    for name in ("e.gif", "f.GIF", "g.webp", "h.svg"):
        (tmp_path / name).touch()
    (note,) = notes_of_left_out([tmp_path])
    assert f"{tmp_path}: left out" in note
    assert "e.gif, f.GIF, g.webp and 1 more" in note
    (tmp_path / "a.mrc.gz").touch()
    (tmp_path / "notes.txt.gz").touch()
    (note,) = notes_of_left_out([tmp_path])
    assert "a.mrc.gz, e.gif, f.GIF and 2 more" in note


def test_find_micrographs_once_however_they_are_spelled(tmp_path, monkeypatch):
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "a.tif").touch()
    (tmp_path / "link").symlink_to("day")
    monkeypatch.chdir(tmp_path)
    spelled = ["day", tmp_path / "day", "day/../day/a.tif", "link/a.tif"]
    assert find_micrographs(spelled) == [Path("day/a.tif")]


def test_find_micrographs_finds_something_or_says_so(tmp_path):
    with pytest.raises(MicrographError, match="nothing there"):
        find_micrographs([tmp_path / "missing"])
    (tmp_path / "day 1").mkdir()
    (tmp_path / "day 1" / "a.tif").touch()
    with pytest.raises(MicrographError, match="At least one") as caught:
        find_micrographs([tmp_path])
    assert str(tmp_path) in str(caught.value)
    assert "Folders in a folder are not searched" in str(caught.value)


def test_folders_with_micrographs_in_a_folder_are_told(tmp_path):
    for name in ("grid 2", ".cache", "notes", "results", "scan.zarr"):
        (tmp_path / name).mkdir()
    (tmp_path / "results" / "a").mkdir()
    for name in ("a.tif", "notes/a.txt", "results/a/overlay.png", ".cache/b.tif"):
        (tmp_path / name).touch()
    (tmp_path / "scan.zarr" / "zarr.json").touch()
    assert notes_of_left_out([tmp_path]) == []
    (tmp_path / "grid 2" / "b.dm4").touch()
    (note,) = notes_of_left_out([tmp_path])
    assert note.startswith(f"{tmp_path}: folders in it are not searched: grid 2. Name")
    assert notes_of_left_out([tmp_path, tmp_path / "grid 2"]) == []


def test_a_link_to_itself_is_no_folder(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "a.tif").touch()
    assert notes_of_left_out([tmp_path]) == []
