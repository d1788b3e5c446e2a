"""A forest in a file: the same answers afterwards, and no harm from a bad file."""

import dataclasses
import json
import pickle

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from skops import io

from defectkeras.classical import forest_file
from defectkeras.classical.forest_file import ForestFacts, read_forest, write_forest
from defectkeras.classical.random_forest import fit_random_forest
from defectkeras.core.errors import ModelError
from defectkeras.core.labels import DefectClass, LabelScheme

FACTS = ForestFacts(
    scheme=LabelScheme(
        (DefectClass(0, "matrix", "matrix"), DefectClass(1, "disc", "region"))
    ),
    dataset_name="discs",
    dataset_fingerprint="sha256:" + "0" * 64,
    attribution="drawn (CC0-1.0)",
    pixel_size_range_nm=(0.5, 2.0),
)


@pytest.fixture
def image(discs, draw):
    return draw(discs)[:60, :80]


@pytest.fixture
def forest(discs, image):
    class_map = discs[:60, :80].astype(np.int32)
    return fit_random_forest([(image, class_map)], num_classes=2, num_trees=4)


def test_gives_the_same_after_it_was_stored(forest, image, tmp_path):
    write_forest(forest, FACTS, tmp_path / "new" / "a.skops")
    stored, facts = read_forest(tmp_path / "new" / "a.skops")
    assert facts == FACTS
    tiles = image[np.newaxis, :, :, np.newaxis]
    np.testing.assert_array_equal(stored(tiles), forest(tiles))


@pytest.mark.parametrize(
    ("column", "value"),
    [("left_child", 10**6), ("right_child", 0), ("feature", 24), ("feature", -2)],
)
def test_steps_that_lead_out_of_a_tree_or_round_in_it(forest, tmp_path, column, value):
    """scikit-learn would read beyond its memory, or never end."""
    tree = forest.classifier.estimators_[2].tree_
    state = tree.__getstate__()
    nodes = state["nodes"].copy()
    nodes[column][0] = value
    tree.__setstate__(state | {"nodes": nodes})
    write_forest(forest, FACTS, tmp_path / "a.skops")
    with pytest.raises(ModelError, match="lead nowhere"):
        read_forest(tmp_path / "a.skops")


@pytest.mark.parametrize(
    "content",
    [
        {"classifier": DummyClassifier(), "facts": "{}"},
        {"classifier": "no forest"},
        ["no table"],
    ],
    ids=["other", "part", "list"],
)
def test_another_object_is_no_forest(content, tmp_path):
    io.dump(content, tmp_path / "a.skops")
    with pytest.raises(ModelError, match=r"a\.skops"):
        read_forest(tmp_path / "a.skops")


def test_a_pickle_is_never_run(forest, tmp_path):
    (tmp_path / "a.skops").write_bytes(pickle.dumps(forest))
    with pytest.raises(ModelError, match="as `defectkeras forest` writes it"):
        read_forest(tmp_path / "a.skops")
    with pytest.raises(ModelError, match="No such file"):
        read_forest(tmp_path / "b.skops")


def test_a_file_that_unpacks_to_too_much(forest, tmp_path, monkeypatch):
    write_forest(forest, FACTS, tmp_path / "a.skops")
    monkeypatch.setattr(forest_file, "MAX_BYTES", 1000)
    with pytest.raises(ModelError, match="more than 1000 bytes"):
        read_forest(tmp_path / "a.skops")


def test_a_class_that_the_scheme_has_not(forest, tmp_path):
    forest.classifier.classes_[1] = 5
    write_forest(forest, FACTS, tmp_path / "a.skops")
    with pytest.raises(ModelError, match="lead nowhere"):
        read_forest(tmp_path / "a.skops")


def test_facts_are_read_strictly(forest, tmp_path):
    table = dataclasses.asdict(FACTS) | {"pixel_size": 1.0}
    content = {"classifier": forest.classifier, "facts": json.dumps(table)}
    io.dump(content, tmp_path / "a.skops")
    with pytest.raises(ModelError, match="unknown key 'pixel_size'"):
        read_forest(tmp_path / "a.skops")
