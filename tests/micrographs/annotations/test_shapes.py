import numpy as np
import pytest

from defectkeras.micrographs.annotations.shapes import Area, Drawing, Line, Shape

RING = np.array([[0, 0], [0, 4], [3, 4.0]])
STRIP = Line(np.array([[0, 0], [3, 4], [3, 10.0]]), 2.0)


def test_a_line_keeps_the_length_that_was_drawn():
    drawing = Drawing(
        (5, 12), (Shape("dislocation", STRIP), Shape("void", Area((RING,))))
    )

    assert drawing.class_names == ("dislocation", "void")
    assert drawing.drawn_length_px("dislocation") == pytest.approx(11)
    assert drawing.drawn_length_px("void") is None


def test_a_class_of_areas_and_lines_is_no_line():
    drawing = Drawing((5, 12), (Shape("crack", STRIP), Shape("crack", Area((RING,)))))

    assert not drawing.is_line("crack")
    assert drawing.drawn_length_px("crack") is None


def test_what_is_not_annotated_is_no_class():
    assert Drawing((5, 12), (Shape("not_annotated", STRIP),)).class_names == ()
