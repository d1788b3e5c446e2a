"""Lines, and not what is no line."""

import numpy as np
import pytest

from defectkeras.classical.ridges import ridges


@pytest.mark.parametrize("polarity", ["bright", "dark"])
def test_finds_lines(polarity, lines, draw, iou_of):
    image = draw(lines, polarity=polarity)
    assert iou_of(ridges(image, polarity=polarity), image, lines) > 0.7


def test_an_edge_is_no_line(draw):
    """At a step the curvature is half that of a line, and the inside is flat."""
    step = np.zeros((150, 190), dtype=np.bool_)
    step[:, 95:] = True
    line = np.zeros_like(step)
    line[:, 40:44] = True
    image = draw(line | step, noise=0.0)
    found = ridges(image, polarity="bright")(image[None, :, :, None])[0, ..., 1] == 1
    assert found[:, 41:43].all()
    assert not found[:, 110:].any()
