import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.quantification.quantify import QuantifySettings, quantify


def draw_touching(disc):
    class_map = np.zeros((90, 140), np.int32)
    for column in (40, 57):
        disc(class_map, 45, column, 20, value=3)
    return class_map


@pytest.mark.parametrize(("split", "count"), [("none", 1), ("distance", 2)])
def test_touching_objects_are_split_on_demand(scheme, disc, split, count):
    settings = QuantifySettings(split=split)
    result = quantify(draw_touching(disc), scheme, Calibration(), settings=settings)
    assert result.find("void", "count").value == count
    assert result.settings.to_dict()["split"] == split


def test_splitting_by_probability_needs_one(scheme, disc):
    class_map = draw_touching(disc)
    settings = QuantifySettings(split="probability")
    with pytest.raises(
        DefectKerasError, match=r"there is none\. Split them by distance"
    ):
        quantify(class_map, scheme, Calibration(), settings=settings)
    probability_map = np.zeros((*class_map.shape, 5), np.float32)
    probability_map[..., 3] = np.where(class_map == 3, 0.9, 0.0)
    probability_map[:, 46:52, 3] *= 0.55
    result = quantify(
        class_map, scheme, Calibration(), settings=settings,
        probability_map=probability_map,
    )  # fmt: skip
    assert result.find("void", "count").value == 2
    assert result.objects["confidence"].between(0.6, 0.95).all()


def test_maps_must_fit(scheme):
    class_map = np.zeros((20, 30), np.int32)
    wrong = np.zeros((20, 31, 5), np.float32)
    with pytest.raises(DefectKerasError, match=r"The probability_map must have"):
        quantify(class_map, scheme, Calibration(), probability_map=wrong)
