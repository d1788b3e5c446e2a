import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass
from defectkeras.quantification.objects import label_objects, measure_objects
from defectkeras.quantification.region_class import (
    ALL_CUT,
    NO_PIXEL_SIZE,
    NO_THICKNESS,
    RegionClass,
)
from defectkeras.quantification.settings import QuantifySettings


def make_region(mask, calibration, name="void"):
    table = measure_objects(
        label_objects(mask), calibration=calibration, class_name=name
    )
    return RegionClass(
        DefectClass(1, name, "region"),
        table,
        class_px=int(mask.sum()),
        field_px=mask.size,
        calibration=calibration,
        settings=QuantifySettings(),
    )


@pytest.mark.parametrize(
    ("calibration", "reason"),
    [
        (Calibration(), NO_PIXEL_SIZE),
        (Calibration(foil_thickness_nm=90.0), NO_PIXEL_SIZE),
        (Calibration(0.5), NO_THICKNESS),
        (Calibration(0.5, 90.0), None),
    ],
)
def test_why_a_volume_cannot_be_given(disc, calibration, reason):
    mask = np.zeros((60, 80), bool)
    disc(mask, 30, 40, 12)
    assert make_region(mask, calibration).missing(thickness=True) == reason


def test_every_object_at_the_border(disc):
    mask = np.zeros((60, 80), bool)
    disc(mask, 0, 40, 12)
    region = make_region(mask, Calibration(0.5, 90.0))
    assert region.missing() == region.missing_objects() == ALL_CUT


def test_loops_are_sized_by_their_feret_diameter(disc):
    mask = np.zeros((60, 80), bool)
    disc(mask, 30, 40, 12)
    loop, void = (make_region(mask, Calibration(0.5), n) for n in ("loop", "void"))
    assert loop.is_loop
    assert loop.extent == pytest.approx(np.pi / 4)
    assert loop.diameters("nm")[0] > void.diameters("nm")[0]
    assert void.area_nm2 == 60 * 80 * 0.25


def test_no_more_than_all_of_the_field_is_covered():
    mask = np.zeros((60, 80), bool)
    mask[:, 2:36], mask[:, 40:74] = True, True
    interval = make_region(mask, Calibration()).area_interval()
    assert 0 < interval.low < mask.mean() < interval.high == 1


def test_one_object_that_holds_most_of_the_area_tells_nothing_of_chance(disc):
    mask = np.zeros((60, 80), bool)
    assert make_region(mask, Calibration()).area_interval() is None
    disc(mask, 30, 0, 25)
    assert make_region(mask, Calibration()).area_interval() is None
    disc(mask, 50, 70, 4)
    assert make_region(mask, Calibration()).area_interval() is None
    disc(mask, 30, 60, 12)
    disc(mask, 30, 33, 12)
    assert make_region(mask, Calibration()).area_interval() is not None
