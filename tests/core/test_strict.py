import dataclasses
import json
import tomllib
from collections.abc import Mapping
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defectkeras.core.errors import DatasetError, DefectKerasError
from defectkeras.core.strict import from_mapping


@dataclasses.dataclass(frozen=True)
class Inner:
    sizes: tuple[int, int]
    kind: Literal["line", "region"] = "line"


@dataclasses.dataclass(frozen=True)
class Form:
    name: str
    scale: float
    inner: Inner
    count: int = 1
    flag: bool = False
    version: Literal[1] = 1
    maybe: float | None = None
    either: int | str = 0
    many: tuple[Inner, ...] = ()
    free: dict[str, Any] = dataclasses.field(default_factory=dict)
    table: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    anything: Any = None


RIGHT: dict[str, Any] = {"name": "a", "scale": 1.5, "inner": {"sizes": [2, 3]}}
TYPES = {
    "name": str,
    "scale": float,
    "inner": Inner,
    "count": int,
    "flag": bool,
    "version": int,
    "maybe": (float, type(None)),
    "either": (int, str),
    "many": tuple,
    "free": dict,
    "table": Mapping,
}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400)])
    | st.floats()
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner)
    ),
    max_leaves=6,
)


def test_a_right_table_becomes_the_form():
    form = from_mapping(
        Form, {**RIGHT, "many": [{"sizes": [1, 2], "kind": "region"}]}, where="f"
    )
    assert form == Form("a", 1.5, Inner((2, 3)), many=(Inner((1, 2), "region"),))


def test_integers_are_taken_for_floats_and_become_floats():
    form = from_mapping(Form, {**RIGHT, "scale": 2, "maybe": 3}, where="f")
    assert (form.scale, form.maybe) == (2.0, 3.0)
    assert isinstance(form.scale, float)
    assert isinstance(form.maybe, float)


@given(st.dictionaries(st.sampled_from([*TYPES, "nmae", "x"]), VALUES))
def test_whatever_comes_the_form_is_right_or_the_error_is_ours(changes):
    table = {**RIGHT, **changes}
    try:
        form = from_mapping(Form, table, where="here", error=DatasetError)
    except DatasetError as error:
        message = str(error)
    else:
        message = ""
    if message:
        assert message.startswith("here")
        assert len(message) < 400
        return
    for field, kind in TYPES.items():
        assert isinstance(getattr(form, field), kind)
    assert not isinstance(form.count, bool)
    assert not isinstance(form.version, bool)
    assert set(changes) <= set(TYPES)


@given(st.sampled_from(sorted(RIGHT)))
def test_a_missing_key_is_named(key):
    table = {k: v for k, v in RIGHT.items() if k != key}
    with pytest.raises(DefectKerasError, match=f"f: missing key '{key}'"):
        from_mapping(Form, table, where="f")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scal": 1.0}, "unknown key 'scal'. Did you mean 'scale'"),
        ({"inner": {"sizes": [1, 2], "knd": "line"}}, "f inner: unknown key 'knd'"),
        ({"inner": {"sizes": [1, 2], "kind": "lin"}}, "Did you mean 'line'"),
        ({"inner": {"sizes": [1]}}, r"f inner sizes: must have 2 entries"),
        ({"inner": {"sizes": 3}}, "f inner sizes: must be an array"),
        ({"inner": {"sizes": [1, "b"]}}, r"f inner sizes\[1\]: must be of type int"),
        ({"inner": 3}, "f inner: must be a table"),
        ({"many": [{"sizes": [1, 2]}, {}]}, r"f many\[1\]: missing key 'sizes'"),
        ({"count": True}, "must be of type int"),
        ({"count": 1.0}, "must be of type int"),
        ({"flag": 1}, "must be of type bool"),
        ({"scale": "1"}, "must be of type float"),
        ({"scale": True}, "must be of type float"),
        ({"scale": 10**400}, "must be of type float"),
        ({"version": True}, "unknown True"),
        ({"version": 2}, "Known: 1"),
        ({"either": 1.5}, "must be of type str"),
        ({"name": None}, "must be of type str"),
        ({"free": [1]}, "must be of type dict"),
    ],
)
def test_a_wrong_value_is_told_with_its_place(change, message):
    with pytest.raises(DefectKerasError, match=message):
        from_mapping(Form, {**RIGHT, **change}, where="f")


@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_what_is_no_table_is_refused(value):
    with pytest.raises(DefectKerasError, match="must be a table"):
        from_mapping(Form, value, where="f")


def test_json_and_toml_give_the_same_form():
    toml = tomllib.loads('name = "a"\nscale = 2\n[inner]\nsizes = [2, 3]\n')
    text = json.loads('{"name": "a", "scale": 2, "inner": {"sizes": [2, 3]}}')
    assert from_mapping(Form, toml, where="t") == from_mapping(Form, text, where="j")
