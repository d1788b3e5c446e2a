import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defectkeras.core.file_names import composed, name_of_file, on_disk, spellings

FORMS = ("NFC", "NFD")


def spelled(form, text="Größe_ä"):
    return unicodedata.normalize(form, text)


@given(st.text())
def test_a_name_is_the_same_in_every_form(text):
    assert len({composed(spelled(form, text)) for form in FORMS}) == 1


@pytest.mark.parametrize("form", FORMS)
def test_the_name_of_a_file_is_composed(form):
    path = Path(spelled(form)) / f"{spelled(form)}.v2.TIF"
    assert name_of_file(path) == spelled("NFC") + ".v2"


@pytest.mark.parametrize("of_folder", FORMS)
@pytest.mark.parametrize("of_file", FORMS)
@pytest.mark.parametrize("asked", FORMS)
def test_what_is_there_is_found_in_every_form(tmp_path, of_folder, of_file, asked):
    path = tmp_path / spelled(of_folder) / f"{spelled(of_file)}.png"
    path.parent.mkdir()
    path.touch()

    assert on_disk(tmp_path, f"./{spelled(asked)}/{spelled(asked)}.png") == path


@pytest.mark.parametrize("below", ["ä/b.png", "ä" * 300, "ä\0", "é.png"])
def test_what_is_not_there_stays_as_it_is(tmp_path, below):
    assert on_disk(tmp_path, below) == tmp_path / below


def test_a_pattern_is_looked_for_in_both_forms():
    assert spellings("images/*.png") == {"images/*.png"}
    assert spellings("ä/*.png") == {spelled(form, "ä/*.png") for form in FORMS}
