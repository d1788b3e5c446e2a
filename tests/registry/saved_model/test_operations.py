"""What a graph may do is read from its file: ordinary models pass, programs do not."""

import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.errors import RegistryError
from defectkeras.registry.saved_model.operations import (
    COMPUTING,
    SAVING,
    find_unusual_operations,
)

IMAGE = tf.TensorSpec((None, None, None, 1), tf.float32, name="image")


def save(function, folder):
    module = tf.Module()
    module.weight = tf.Variable(1.0)
    module.function = tf.function(function, input_signature=[IMAGE])
    tf.saved_model.save(module, folder)
    return folder


def test_published_model_only_computes(registry):
    assert find_unusual_operations(registry.resolve("tiny").path) == ()


def test_shipped_models_only_compute():
    from pathlib import Path

    root = Path(__file__).parents[3] / "saved_models"
    for path in root.glob("*/*/saved_model.pb"):
        assert find_unusual_operations(path.parent) == ()


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        (lambda image: tf.io.read_file("/etc/hostname"), "ReadFile"),
        (lambda image: tf.io.matching_files("/*"), "MatchingFiles"),
        (lambda image: tf.py_function(np.sum, [image], tf.float32), "EagerPyFunc"),
        (lambda image: tf.numpy_function(np.sum, [image], tf.float32), "PyFunc"),
        (lambda image: tf.raw_ops.Timestamp(), "Timestamp"),
        (
            lambda image: tf.raw_ops.RestoreV2(
                prefix="/tmp/x", tensor_names=["a"], shape_and_slices=[""], dtypes=[1]
            ),
            "RestoreV2",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_programs_are_named(tmp_path, function, operation):
    found = find_unusual_operations(save(function, tmp_path))
    assert any(text.startswith(f"operation {operation} in ") for text in found)


def test_side_effects_inside_inner_functions_are_found(tmp_path):
    @tf.function
    def inner(x):
        tf.io.write_file("/tmp/never-written", "x")
        return x

    def outer(image):
        return tf.cond(tf.reduce_sum(image) > 0, lambda: inner(image), lambda: image)

    found = find_unusual_operations(save(outer, tmp_path))
    assert any("WriteFile" in text for text in found)


def test_file_that_a_table_reads_at_loading_is_found(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("matrix\nvoid\n")
    module = tf.Module()
    module.table = tf.lookup.StaticHashTable(
        tf.lookup.TextFileInitializer(
            str(words),
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        ),
        -1,
    )
    tf.saved_model.save(module, tmp_path / "1")
    found = find_unusual_operations(tmp_path / "1")
    assert any("InitializeTableFromTextFile" in text for text in found)


def test_all_listed_operations_exist():
    known = set(dir(tf.raw_ops))
    assert {op for op in COMPUTING | SAVING if op not in known} <= {"Placeholder"}


def test_broken_file_is_told(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff" * 50)
    with pytest.raises(RegistryError, match="cannot be read"):
        find_unusual_operations(tmp_path)
    with pytest.raises(RegistryError, match="cannot be read"):
        find_unusual_operations(tmp_path / "missing")
