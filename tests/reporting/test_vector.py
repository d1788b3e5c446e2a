import re

import pytest
from markupsafe import escape
from matplotlib.figure import Figure

from defectkeras.reporting.vector import (
    draw_svg,
    svg_element,
    vector_style,
    write_vector,
)

EVIL = '"><img src=x onerror=alert(1)> $x$'


@pytest.fixture
def figure():
    with vector_style():
        figure = Figure(figsize=(3, 2))
        axes = figure.add_subplot()
        axes.plot([0, 1, 3], [2, 1, 4])
        axes.set_title(EVIL)
        axes.set_xlabel("Diameter (nm)")
    return figure


def test_an_element_has_names_of_its_own_and_escapes_text(figure):
    svg = svg_element(draw_svg(figure, EVIL), "m1c2")

    assert {i[:5] for i in re.findall(r' id="([^"]*)"', svg)} == {"m1c2-"}
    assert "<style" not in svg
    assert "<title" not in svg
    assert "<metadata" not in svg
    assert "<img" not in svg
    assert f'aria-label="{escape(EVIL)}"' in svg
    assert "Diameter (nm)" in svg
    assert "$x$" in svg  # no formula


def test_files_are_the_same_each_time(figure, tmp_path):
    write_vector(figure, tmp_path / "a.1", EVIL)
    write_vector(figure, tmp_path / "b", EVIL)

    assert {p.name for p in tmp_path.iterdir()} == {
        "a.1.svg",
        "a.1.pdf",
        "b.svg",
        "b.pdf",
    }
    for kind in ("svg", "pdf"):
        first = (tmp_path / f"a.1.{kind}").read_bytes()
        assert first == (tmp_path / f"b.{kind}").read_bytes()
    assert (tmp_path / "b.pdf").read_bytes().startswith(b"%PDF")
