import pytest
from hypothesis import given
from hypothesis import strategies as st

from defectkeras.core.errors import DatasetError, DefectKerasError
from defectkeras.core.names import require_known, suggestion

NAMES = st.text(min_size=1, max_size=12)


@given(st.lists(NAMES, min_size=1), st.data())
def test_a_known_name_comes_back(known, data):
    name = data.draw(st.sampled_from(known))
    assert require_known(name, known, what="thing") == name


@given(NAMES, st.lists(NAMES))
def test_an_unknown_name_is_told_with_what_there_is(name, known):
    if name in known:
        return
    with pytest.raises(DatasetError) as caught:
        require_known(name, iter(known), what="thing", error=DatasetError)
    message = str(caught.value)
    assert repr(name) in message
    shown = any(n in message or repr(n)[1:-1] in message for n in known)
    assert shown or "none yet" in message


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        ("spott3_0d", "spot3_0d"),
        ("s0410018", "S0410018"),
        ("FRAME_0002", "frame_0002"),
        ("DefectSegNet", "defectsegnet"),
        ("unet2", "UNet"),
    ],
)
def test_the_nearest_name_is_found_whatever_the_case(typed, known):
    others = ["precipitates", "070516_3_S24"]
    assert suggestion(typed, [*others, known]) == f" Did you mean {known!r}?"


def test_names_that_hold_what_was_typed_are_meant():
    known = ["accumulation_steps", "epochs", "steps_per_epoch", "seed"]
    meant = " Did you mean 'accumulation_steps' or 'steps_per_epoch'?"
    assert suggestion("STEPS", known) == meant
    assert suggestion("ep", known).startswith(" Known: ")
    assert suggestion("tif", [f"tif{n}abcdefgh" for n in range(4)]).startswith(" Known")


def test_a_long_list_of_names_is_cut():
    text = suggestion("qqqq", [f"{i:03d}" for i in range(500)])
    assert text.startswith(" Known: 000, 001, ")
    assert text.endswith("(500 in all).")
    assert len(text) < 120


def test_default_error_is_the_family():
    with pytest.raises(DefectKerasError, match="Unknown model 'b'"):
        require_known("b", [], what="model")


def test_as_many_names_are_listed_as_the_caller_wants():
    known = [f"x{n:02}" for n in range(15)]
    assert suggestion("abc", known).endswith("x11, ... (15 in all).")
    assert suggestion("abc", known, most=15).endswith("x13, x14.")
