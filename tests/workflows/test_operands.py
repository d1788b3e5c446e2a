import numpy as np
import pytest
from PIL import Image

from defectkeras.core.errors import DatasetError, DefectKerasError
from defectkeras.micrographs.annotations.read import Hints
from defectkeras.workflows.operands import (
    common_scheme,
    find_operands,
    split_label,
    to_scheme,
)

HINTS = {"": Hints()}


@pytest.fixture
def folders(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        values = np.arange(6, dtype=np.uint8).reshape(2, 3) % 3
        Image.fromarray(values).save(tmp_path / name / "f.png")
    return [str(tmp_path / "a"), str(tmp_path / "b")]


def test_labels_are_told_or_those_of_the_folders(folders):
    operands = find_operands(folders, hints=HINTS, classes=["void", "line:line"])
    assert [o.annotator.label for o in operands] == ["a", "b"]
    assert not any(o.annotator.is_model for o in operands)

    texts = [f"anna={folders[0]}", f"net={folders[1]}"]
    operands = find_operands(texts, hints=HINTS, classes=["v"] * 1, machines=["net"])
    assert [o.annotator.is_model for o in operands] == [False, True]
    assert split_label("x=") == ("x=", "x=")


def test_each_may_have_its_own_encoding(folders):
    hints = {"": Hints(), "b": Hints(encoding="objects", object_class="void")}
    operands = find_operands(folders, hints=hints, classes=["line:line", "void"])

    maps = [o.read("f", None) for o in operands]
    assert maps[0].label_map is None
    np.testing.assert_array_equal(maps[1].class_map, [[0, 2, 2], [0, 2, 2]])
    np.testing.assert_array_equal(maps[1].label_map, [[0, 1, 2], [0, 1, 2]])


@pytest.mark.parametrize(
    ("texts", "how", "what"),
    [
        (["a"], {}, "At least two"),
        (["x=a", "x=b"], {}, "different labels"),
        (["a", "b"], {"machines": ["c"]}, "'c' must be one of the labels a, b"),
        (["a", "b"], {"hints": {"": Hints(), "c": Hints()}}, "'c' must be one"),
        (["a", "./none.png"], {}, "nothing there"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    folders, tmp_path, monkeypatch, texts, how, what
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DefectKerasError, match=what):
        find_operands(texts, **({"hints": HINTS, "classes": ["void"]} | how))


def test_a_model_that_is_not_there_is_told(folders, tmp_path):
    with pytest.raises(DefectKerasError, match="none"):
        find_operands(
            [folders[0], "none@3"],
            hints=HINTS,
            classes=["void"],
            registry_root=tmp_path / "registry",
        )


def test_only_what_all_know_is_compared(folders):
    first, second = find_operands(folders, hints=HINTS, classes=["void", "line:line"])
    other = find_operands(folders, hints=HINTS, classes=["loop", "void"])[1]
    scheme = common_scheme([first, other])

    assert [c.name for c in scheme.defects] == ["void"]
    class_map = np.array([[0, 1, 2, -1]], np.int32)
    np.testing.assert_array_equal(
        to_scheme(class_map, other.scheme, scheme), [[0, 0, 1, -1]]
    )
    loops = find_operands(folders, hints=HINTS, classes=["loop", "hole"])[1]
    with pytest.raises(DatasetError, match=r"b: loop"):
        common_scheme([first, loops])
    lines = find_operands(folders, hints=HINTS, classes=["void:line"])[1]
    with pytest.raises(DatasetError, match="line or a region for all"):
        common_scheme([second, lines])
