import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.line_graph import link_lines
from defectkeras.quantification.lines import measure_lines
from defectkeras.quantification.objects import label_objects
from defectkeras.quantification.segments import measure_segments
from defectkeras.quantification.skeletons import trace_lines

WIDTHS_PX = [1, 2, 3, 5, 8]


def width_px(mask):
    (found,) = measure_lines(mask, Calibration())["width_px"]
    return found


def draw_line(segment, angle_deg, width, shift=(0.2, 0.1), *, mask=None):
    mask = np.zeros((150, 180), bool) if mask is None else mask
    middle = np.add((75, 90), shift)
    angle = np.radians(angle_deg)
    along = 60 * np.array([-np.sin(angle), np.cos(angle)])
    segment(mask, middle - along, middle + along, width)
    return mask


@pytest.mark.parametrize("width", WIDTHS_PX)
@pytest.mark.parametrize("angle_deg", [0, 10, 22, 37, 58, 90, 101, 126, 143, 170])
def test_straight_lines(segment, angle_deg, width):
    mask = draw_line(segment, angle_deg, width)
    assert width_px(mask) == pytest.approx(width, abs=0.15)


@pytest.mark.parametrize("width", WIDTHS_PX)
@pytest.mark.parametrize("angle_deg", [45, 135])
def test_diagonal_lines_have_the_width_of_their_pixels(segment, angle_deg, width):
    """There whole diagonals of pixels lie inside or not, each 0.71 px wide."""
    mask = draw_line(segment, angle_deg, width)
    drawn = np.count_nonzero(mask[75]) / np.sqrt(2)
    assert drawn == pytest.approx(width, abs=0.71)
    assert width_px(mask) == pytest.approx(drawn, abs=0.2)


@pytest.mark.parametrize("width", WIDTHS_PX)
@pytest.mark.parametrize("radius", [15, 40])
def test_rings(radius, width):
    rows, columns = np.ogrid[:100, :110]
    mask = abs(np.hypot(rows - 50.2, columns - 55.1) - radius) <= width / 2
    assert width_px(mask) == pytest.approx(width, abs=0.1)


@pytest.mark.parametrize("width", WIDTHS_PX)
@pytest.mark.parametrize("turn_deg", [25, 60, 90])
def test_lines_that_cross(segment, turn_deg, width):
    mask = draw_line(segment, 12, width)
    draw_line(segment, 12 + turn_deg, width, mask=mask)
    assert width_px(mask) == pytest.approx(width, abs=0.15)
    tables = measure_segments(trace_lines(mask), label_objects(mask), Calibration())
    for table in tables:
        np.testing.assert_allclose(table["width_px"], width, atol=0.4)


def test_segments_have_their_own_width(segment):
    mask = draw_line(segment, 0, 3)
    segment(mask, (75, 90), (20, 100), 7)
    segments, _ = measure_segments(
        trace_lines(mask), label_objects(mask), Calibration()
    )
    np.testing.assert_allclose(np.sort(segments["width_px"]), [3, 3, 7], atol=0.2)


def test_a_line_that_leaves_the_field_and_a_dot():
    mask = np.zeros((40, 60), bool)
    mask[:25, 10:13] = mask[30, 30] = True
    widths = measure_lines(mask, Calibration())["width_px"]
    assert widths.tolist() == [3.0, 1.0]


def test_a_speck_whose_skeleton_is_a_ring_of_four_pixels():
    """Such as noise leaves: its arms are spurs, and two by two pixels stay."""
    mask = np.zeros((12, 16), bool)
    mask[[4, 4, 5, 5, 6, 6, 7, 7], [5, 8, 6, 7, 6, 7, 5, 8]] = True
    assert trace_lines(mask).skeleton[5:7, 6:8].all()
    assert width_px(mask) == pytest.approx(2.0)


def test_a_mesh_too_narrow_for_rays_has_widths(segment):
    """Between junctions close to each other no place is clear of both."""
    mask = np.zeros((60, 90), bool)
    mask[10:50:6, 10:80] = mask[10:47, 10:80:6] = True
    traced = trace_lines(mask)
    assert np.isfinite(width_px(mask))
    segments, _ = measure_segments(traced, label_objects(mask), Calibration())
    assert (segments["width_px"] >= 1).all()


def test_no_line():
    traced = trace_lines(np.zeros((20, 30), bool))
    assert link_lines(traced).widths_px.shape == (0,)
