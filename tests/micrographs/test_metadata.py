import json
from array import array

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from defectkeras.micrographs.metadata import plain

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
)


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_json_takes_whatever_comes(value):
    json.dumps(plain(value), allow_nan=False)


def test_values_of_libraries_become_plain():
    value = {
        "kV": np.float32(200),
        "frames": np.int64(3),
        "id": np.array([7]),
        "table": np.arange(1000).reshape(10, 100),
        "name": b"TITAN",
        "lut": array("H", range(500)),
        "when": complex(1, 2),
    }

    assert plain(value) == {
        "kV": 200.0,
        "frames": 3,
        "id": 7,
        "table": str(value["table"]),
        "name": "TITAN",
        "lut": "500 values",
        "when": "(1+2j)",
    }


def test_depth_is_bounded():
    value: dict = {}
    for _ in range(10_000):
        value = {"deeper": value}

    assert json.dumps(plain(value)).count("deeper") < 100
