import base64
import contextlib
import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from defectkeras.serving.json_tensors import (
    parse_request,
    read_tensors,
    write_tensors,
)
from defectkeras.serving.status import Code, StatusError


class Info:
    """Stands for a TensorInfo."""

    def __init__(self, dtype):
        self.dtype = dtype.as_datatype_enum


def read(document, **dtypes):
    infos = {name: Info(dtype) for name, dtype in dtypes.items()}
    return read_tensors(parse_request(json.dumps(document).encode()), infos)


def test_rows_and_columns_are_read_alike():
    values = [[[1], [2]], [[3], [4]]]
    named = [{"x": value} for value in values]
    forms = ({"instances": values}, {"instances": named}, {"inputs": values})
    for document in (*forms, {"inputs": {"x": values}}):
        x = read(document, x=tf.float32)["x"]
        assert x.dtype == np.float32
        np.testing.assert_array_equal(x, values)


def test_two_inputs_need_names():
    rows = [{"a": 1, "b": [1.5]}, {"a": 2, "b": [2.5]}]
    found = read({"instances": rows}, a=tf.int32, b=tf.float64)
    assert found["a"].tolist() == [1, 2]
    assert found["b"].tolist() == [[1.5], [2.5]]
    for document in ({"instances": [1]}, {"inputs": [1]}, {"instances": [rows[0], 1]}):
        with pytest.raises(StatusError):
            read(document, a=tf.int32, b=tf.float64)
    with pytest.raises(StatusError, match="Missing named input: b"):
        read({"inputs": {"a": 1}}, a=tf.int32, b=tf.float64)


@given(st.binary())
def test_bytes_survive_both_alphabets(data):
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(data).decode()
        for shown in (text, text.rstrip("=")):
            found = read({"instances": [{"b64": shown}]}, x=tf.string)["x"]
            assert found.tolist() == [data]


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([256], tf.uint8),
        ([-1], tf.uint8),
        ([1.5], tf.int32),
        ([1e39], tf.float32),
        ([10**30], tf.int64),
        (["a"], tf.float32),
        ([None], tf.float32),
        ([True], tf.float32),
        ([1], tf.bool),
        ([[1], [1, 2]], tf.float32),
        ([[1], 2], tf.float32),
        ([{"b64": "AA=="}], tf.float32),
        ([{"b64": "!"}], tf.string),
        ([1], tf.string),
        ([{"c": "x"}], tf.string),
    ],
)
def test_what_does_not_fit_is_the_clients_error(value, dtype):
    with pytest.raises(StatusError) as caught:
        read({"inputs": {"x": value}}, x=dtype)
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_uint16_is_not_in_its_json():
    with pytest.raises(StatusError, match="to type: uint16") as caught:
        read({"inputs": [1]}, x=tf.uint16)
    assert caught.value.code is Code.UNIMPLEMENTED


def test_nan_is_read_as_a_number():
    found = read_tensors(parse_request(b'{"inputs": [NaN]}'), {"x": Info(tf.float32)})
    assert np.isnan(found["x"]).all()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 10_000, b'{"inputs": 1'] * 1
)
def test_what_is_no_json_is_told(body):
    with pytest.raises(StatusError):
        parse_request(body)


@given(st.binary(max_size=40))
def test_nothing_but_a_status_comes_of_noise(body):
    with contextlib.suppress(StatusError):
        read_tensors(parse_request(b'{"inputs": ' + body), {"x": Info(tf.float32)})


def test_replies_have_names_only_where_there_are_several():
    x, y = np.arange(4).reshape(2, 2), np.array([5, 6])
    assert json.loads(write_tensors({"x": x}, rows=True)) == {
        "predictions": [[0, 1], [2, 3]]
    }
    assert json.loads(write_tensors({"x": x}, rows=False)) == {
        "outputs": [[0, 1], [2, 3]]
    }
    assert json.loads(write_tensors({"x": x, "y": y}, rows=True)) == {
        "predictions": [{"x": [0, 1], "y": 5}, {"x": [2, 3], "y": 6}]
    }
    with pytest.raises(StatusError, match="inconsistent batch sizes"):
        write_tensors({"x": x, "y": y[:1]}, rows=True)


@pytest.mark.parametrize("rows", [True, False])
def test_large_replies_are_written_in_pieces(rows):
    x = np.arange(2 * 90 * 120 * 3, dtype=np.float32).reshape(2, 90, 120, 3) / 7
    y = (x[..., 0] % 200).astype(np.uint8)
    for tensors in ({"x": x}, {"y": y, "x": x}):
        plain = {name: value.tolist() for name, value in sorted(tensors.items())}
        each = [{name: value[row] for name, value in plain.items()} for row in (0, 1)]
        alone = plain["x"] if len(plain) == 1 else None
        key = "predictions" if rows else "outputs"
        expected = {key: alone or (each if rows else plain)}
        assert json.loads(write_tensors(tensors, rows=rows)) == expected


def test_names_tell_files_from_text():
    tensors = {n: np.array([b"\xff"], object) for n in ("png_bytes", "text")}
    found = json.loads(write_tensors(tensors, rows=False))["outputs"]
    assert found == {"png_bytes": [{"b64": "/w=="}], "text": ["\ufffd"]}
