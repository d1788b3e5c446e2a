import numpy as np
import pytest

from defectkeras.quantification.line_totals import measure_line_totals


def total_px(mask, **arguments):
    """Give the length in the used part, with what is hidden."""
    totals = measure_line_totals(mask, np.ones_like(mask), **arguments)
    return totals.skeleton_px * totals.correction


@pytest.mark.parametrize("ends", ["round", "square"])
@pytest.mark.parametrize("width", [4, 5, 8])
def test_short_lines_with_free_ends(segment, ends, width):
    rng = np.random.default_rng(2)
    length, found, count = 40.0, 0.0, 0
    for _ in range(4):
        mask = np.zeros((420, 500), bool)
        for i in range(7):
            for j in range(8):
                middle = np.array([30 + 60 * i, 30 + 62 * j]) + rng.uniform(-6, 6, 2)
                angle = rng.uniform(0, np.pi)
                half = length / 2 * np.array([np.sin(angle), np.cos(angle)])
                segment(mask, middle - half, middle + half, width,
                        square=ends == "square")  # fmt: skip
                count += 1
        found += total_px(mask, ends=ends)
    assert found / count == pytest.approx(length, rel=0.02)


@pytest.mark.parametrize("width", [4, 6])
def test_crossings_hide_what_is_added(segment, width):
    """Single crossings at random angles against the two lines alone."""
    rng = np.random.default_rng(0)
    whole, hidden = 0.0, 0.0
    for _ in range(60):
        first, cosine = rng.uniform(0, np.pi), rng.uniform(-0.999, 0.999)
        masks = []
        for angle in (first, first + np.arccos(cosine)):
            middle = np.array([120, 140])
            along = 400 * np.array([np.sin(angle), np.cos(angle)])
            mask = np.zeros((240, 280), bool)
            segment(mask, middle - along, middle + along, width)
            masks.append(mask)
        apart = sum(measure_line_totals(m, np.ones_like(m)).skeleton_px for m in masks)
        both = masks[0] | masks[1]
        totals = measure_line_totals(both, np.ones_like(both))
        whole += apart - totals.skeleton_px
        hidden += totals.skeleton_px * (totals.crossing_factor - 1)
    assert hidden == pytest.approx(whole, rel=0.35)


def test_no_bias_at_the_frame(line_foil):
    """A small field has much frame; long lines in the plane leave it at all angles."""
    rng = np.random.default_rng(4)
    true = found = area = 0.0
    for _ in range(40):
        foil = line_foil(rng, shape=(90, 120), thickness=40, count=25, width=5)
        totals = measure_line_totals(foil.mask, np.ones_like(foil.mask))
        true += foil.projected_length
        found += totals.length_per_px * 90 * 120
        area += totals.area_px
    assert found / true == pytest.approx(1.0, abs=0.04)
    assert area < 40 * 90 * 120


def test_used_part_is_far_from_the_frame(segment):
    mask = np.zeros((200, 260), bool)
    segment(mask, (30, 30), (170, 230), 5)
    totals = measure_line_totals(mask, np.ones_like(mask))
    margin = 7  # of a line 5 px wide
    used = (200 - 2 * margin) * (260 - 2 * margin)
    assert totals.area_px == pytest.approx(used, rel=0.02)
    assert totals.width_px == pytest.approx(5, abs=0.5)


def test_nothing_is_left_of_a_tiny_field():
    mask = np.zeros((12, 16), bool)
    mask[5:9] = True
    assert measure_line_totals(mask, np.ones_like(mask)) is None


@pytest.mark.parametrize(("side", "is_told"), [(80, False), (100, True)])
def test_a_twentieth_of_the_field_must_be_free_of_cuts(side, is_told):
    """A line 5 px wide takes a margin of 7 px: 66^2 and 86^2 of 300 x 400 are left."""
    mask, seen = np.zeros((300, 400), bool), np.zeros((300, 400), bool)
    mask[150:155] = True
    seen[110 : 110 + side, 100 : 100 + side] = True
    assert (measure_line_totals(mask, seen) is not None) == is_told


def test_no_line():
    totals = measure_line_totals(np.zeros((60, 80), bool), np.ones((60, 80), bool))
    assert totals.length_per_px == 0.0
    assert totals.correction == 1.0
