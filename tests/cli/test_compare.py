import json

import numpy as np
import pytest
from click.testing import CliRunner

from defectkeras.cli.main import main
from defectkeras.micrographs.annotations.maps import write_label_map


@pytest.fixture
def folders(tmp_path):
    labels = np.zeros((20, 33), np.int32)
    labels[2:6, 3:9], labels[2:6, 9:15] = 1, 2
    for who, values in (("a", labels), ("b", np.minimum(labels, 1))):
        (tmp_path / who).mkdir()
        write_label_map(values, tmp_path / who / "f.png")
    return [str(tmp_path / "a"), str(tmp_path / "b"), "--class", "loop"]


def run(*words):
    return CliRunner().invoke(main, ["compare", *map(str, words)])


def test_people_read_a_table_and_programs_json(folders):
    told = run(*folders, "--encoding", "objects")
    assert told.exit_code == 0, told.output
    assert "loop           2         1     −50.0 %" in told.stdout

    plain = json.loads(run(*folders, "--encoding", "objects", "--json").stdout)
    assert plain["agreement"][0]["first_count"] == 2


def test_a_dry_run_tells_who_and_what(folders, tmp_path):
    out = tmp_path / "out"
    told = run(*folders, "--encoding", "objects", "--out", out, "--dry-run")

    assert "a: person" in told.stdout
    assert "fields: f" in told.stdout
    assert not out.exists()


def test_encodings_by_label_and_machines(folders, tmp_path):
    write_label_map(np.eye(20, 33, dtype=np.int32), tmp_path / "b" / "f.png")
    words = ("--encoding-of", "a=objects", "--machine", "b", "--json")
    plain = json.loads(run(*folders, *words).stdout)

    assert [a["is_model"] for a in plain["annotators"]] == [False, True]
    assert run(*folders, "--encoding-of", "a=rle").exit_code == 2
    assert run(*folders, "--encoding-of", "objects").exit_code == 2


def test_a_model_that_is_not_there_is_told_before_tensorflow_starts(
    folders, tmp_path, monkeypatch
):
    monkeypatch.setattr("defectkeras.cli.compare.start_tensorflow", pytest.fail)
    words = (*folders, "--registry", tmp_path / "none", "--micrographs", folders[0])
    for reference in ("voids@3", "voids"):
        failed = run(reference, *words)
        assert failed.exit_code == 1
        assert "'voids'" in failed.stderr


def test_errors_are_one_line(folders):
    failed = run(folders[0])
    assert failed.exit_code == 1
    assert failed.stderr.count("\n") == 1
