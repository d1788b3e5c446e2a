"""A method stands where a model stands: what it finds, and what it warns of."""

import numpy as np
import pytest

from defectkeras.classical.forest_file import read_forest, write_forest
from defectkeras.classical.methods import CLASSICAL_METHODS
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import ModelError
from defectkeras.core.micrograph import Micrograph
from defectkeras.workflows.forest import fit_forest, plan_forest
from defectkeras.workflows.method import MethodChoice, load_method, segment_by_method
from defectkeras.workflows.segment import SegmentSettings

SETTINGS = SegmentSettings(min_area_px=20)


@pytest.fixture
def micrograph():
    """Give a dark disc and a dark speck, 70 x 110 px."""
    y, x = np.mgrid[:70, :110]
    dark = (y - 30) ** 2 + (x - 60) ** 2 < 12**2
    dark[60:62, 10:12] = True
    noise = np.random.default_rng(2).normal(0, 4, dark.shape)
    pixels = np.where(dark, 60, 160) + noise
    return Micrograph(pixels, Calibration(pixel_size_nm=3.0), "one")


@pytest.mark.parametrize("name", CLASSICAL_METHODS)
def test_each_method_has_a_scheme_and_a_name(name, micrograph):
    method = load_method(MethodChoice(name))
    found = segment_by_method(method, micrograph, SETTINGS)
    assert found.class_map.shape == (70, 110)
    assert set(np.unique(found.class_map)) <= {0, 1}
    assert method.facts.reference == f"{name}, dark defects"
    assert method.scheme.classes[1].kind == ("line" if name == "ridges" else "region")
    assert found.warnings == ()


def test_finds_the_disc_and_leaves_out_the_speck(micrograph):
    method = load_method(MethodChoice("otsu"))
    found = segment_by_method(method, micrograph, SETTINGS)
    assert found.class_map.sum() == pytest.approx(np.pi * 12**2, rel=0.05)
    assert found.class_map[60, 10] == 0
    assert found.prediction.class_map[60, 10] == 1
    views = SegmentSettings(augment=True)
    assert len(segment_by_method(method, micrograph, views).other_class_maps) == 8
    bright = load_method(MethodChoice("otsu", "bright"))
    assert segment_by_method(bright, micrograph, SETTINGS).class_map[30, 60] == 0


def test_a_forest_tells_what_it_has_not_seen(discs_spec, micrograph, tmp_path):
    file = tmp_path / "old.skops"
    plan = plan_forest(discs_spec, file)
    fit_forest(plan)
    forest, facts = read_forest(file)
    assert facts.pixel_size_range_nm is None  # PNG files tell none
    known = facts.__dict__ | {"pixel_size_range_nm": (0.5, 1.0)}
    write_forest(forest, type(facts)(**known | {"scikit_learn": "1.6.0"}), file)
    method = load_method(MethodChoice(str(file)))
    found = segment_by_method(method, micrograph, SETTINGS)
    assert found.class_map[30, 60] == 1
    version, size = found.warnings
    assert "scikit-learn 1.6.0" in version
    assert "3 nm is outside the 0.5 to 1 nm" in size
    assert method.facts.architecture == "random_forest"
    assert len(method.sha256) == 64


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("random_forest", "defectkeras forest SPEC --out forest.skops"),
        ("blob", "Did you mean 'blobs'"),
        ("gone.skops", "gone.skops must be a random forest"),
    ],
)
def test_what_is_no_method_says_what_to_do(name, message):
    with pytest.raises(ModelError, match=message):
        load_method(MethodChoice(name))
