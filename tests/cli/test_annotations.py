import json

import numpy as np
from click.testing import CliRunner

from defectkeras.cli.main import main
from defectkeras.micrographs.annotations.maps import write_class_map, write_label_map


def run(*words):
    return CliRunner().invoke(main, ["annotations", "convert", *map(str, words)])


def test_convert_tells_what_it_writes(tmp_path):
    labels = np.zeros((20, 33), np.int32)
    labels[2:6, 3:9], labels[2:6, 9:15] = 1, 2
    write_label_map(labels, tmp_path / "a.png")
    words = (tmp_path / "a.png", tmp_path / "o", "--to", "imagej")
    told = (*words, "--encoding", "objects", "--class", "loop")

    dry = run(*told, "--dry-run", "--json")
    assert dry.exit_code == 0, dry.output
    (row,) = json.loads(dry.stdout)
    assert row["objects"] == {"loop": 2}
    assert not (tmp_path / "o").exists()

    done = run(*told)
    assert "2 loop" in done.stdout
    assert (tmp_path / "o" / "a.zip").exists()


def test_numbers_say_what_they_need_to_be_read_back(tmp_path):
    class_map = np.zeros((20, 33), np.int32)
    class_map[2:6, 3:9], class_map[12:14] = 1, 2
    write_class_map(class_map, tmp_path / "a.png")
    words = ("--class", "void", "--class", "dislocation:line", "--to")

    done = run(tmp_path / "a.png", tmp_path / "o", *words, "classes")
    assert "--class void:region --class dislocation:line." in done.stderr
    done = run(tmp_path / "a.png", tmp_path / "o", *words, "labels")
    assert "do not tell the classes, of which there are 2" in done.stderr
    done = run(tmp_path / "a.png", tmp_path / "o", *words, "coco")
    assert done.stderr == ""


def test_errors_are_one_line(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    failed = run(tmp_path / "a.json", tmp_path / "o", "--to", "labels")

    assert failed.exit_code == 1
    assert failed.stderr.startswith("Error: ")
    assert failed.stderr.count("\n") == 1


def test_objects_that_lie_under_others_are_told(tmp_path):
    shape = {"label": "void", "points": [[1, 1], [9, 1], [9, 9]]}
    content = {"shapes": [shape, shape], "imageHeight": 12, "imageWidth": 15}
    (tmp_path / "a.json").write_text(json.dumps(content))

    done = run(tmp_path / "a.json", tmp_path / "o", "--to", "labels")
    assert "later ones lie over 1 object and hide 1 wholly" in done.stderr
