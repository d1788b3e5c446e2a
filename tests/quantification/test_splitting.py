import cv2
import numpy as np
import pytest

from defectkeras.core.errors import DefectKerasError
from defectkeras.quantification.objects import label_objects
from defectkeras.quantification.splitting import split_objects


def draw_pair(disc, diameter, distance, angle):
    """Two discs whose centers are so far apart, in diameters."""
    mask = np.zeros((110, 140), bool)
    half = distance * diameter / 2 * np.array([np.sin(angle), np.cos(angle)])
    for side in (-half, half):
        disc(mask, 55.3 + side[0], 70.1 + side[1], diameter)
    return mask


@pytest.mark.parametrize("diameter", [14, 24, 40])
@pytest.mark.parametrize(("distance", "number"), [(0.95, 2), (0.85, 2), (0.5, 1)])
def test_pairs_part_at_a_narrow_neck_only(disc, diameter, distance, number):
    for angle in (0.1, 0.8, 1.5, 2.6):
        mask = draw_pair(disc, diameter, distance, angle)
        found = split_objects(label_objects(mask))
        assert found.max() == number
        assert ((found > 0) == mask).all()
        if number == 2:
            areas = np.bincount(found[mask])[1:]
            assert areas.min() / areas.max() > 0.9


def test_three_in_a_row_and_their_neighbor(disc):
    mask = np.zeros((60, 120), bool)
    for column in (20, 38, 56):
        disc(mask, 30, column, 20)
    disc(mask, 30, 100, 12)
    found = split_objects(label_objects(mask))
    assert found.max() == 4
    assert len({found[30, c] for c in (20, 38, 56, 100)}) == 4


def test_rods_and_ellipses_stay_whole():
    rng = np.random.default_rng(1)
    for _ in range(60):
        mask = np.zeros((90, 110), np.uint8)
        axes = (int(rng.integers(8, 35)), int(rng.integers(3, 12)))
        cv2.ellipse(mask, (55, 45), axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
        assert split_objects(label_objects(mask > 0)).max() == 1


def test_by_probability_where_the_outline_shows_no_neck():
    label_map = np.zeros((30, 60), np.int32)
    label_map[8:22, 5:55] = 1
    probability = np.where(label_map > 0, 0.95, 0.0).astype(np.float32)
    probability[:, 27:33] *= 0.6
    assert split_objects(label_map).max() == 1
    found = split_objects(label_map, "probability", probability=probability)
    assert found.max() == 2
    assert found[15, 10] != found[15, 50]


def test_bad_choices():
    label_map = np.zeros((4, 6), np.int32)
    with pytest.raises(DefectKerasError, match="split method"):
        split_objects(label_map, "distances")
    with pytest.raises(ValueError, match="`probability` must be given"):
        split_objects(label_map, "probability")
    with pytest.raises(ValueError, match="`neck` must be between"):
        split_objects(label_map, neck=1.0)
    assert split_objects(label_map, "none").max() == 0
