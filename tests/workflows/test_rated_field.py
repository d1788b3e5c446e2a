import numpy as np
import pytest
import tifffile

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.errors import DefectKerasError
from defectkeras.micrographs.annotations import write_class_map
from defectkeras.micrographs.annotations.read import Hints
from defectkeras.workflows.operands import common_scheme, find_operands
from defectkeras.workflows.rated_field import rate_field


def rate_files(folders, **known):
    operands = find_operands(
        [str(folder) for folder in folders], hints={"": Hints()}, classes=("void",)
    )
    return rate_field("f", operands, common_scheme(operands), None, **known)


@pytest.fixture
def rate(tmp_path):
    """Give what the annotators of some class maps say of their field."""

    def call(class_maps, **known):
        for label, class_map in class_maps.items():
            (tmp_path / label).mkdir()
            write_class_map(class_map, tmp_path / label / "f.png")
        return rate_files([tmp_path / label for label in class_maps], **known)

    return call


def voids():
    class_map = np.zeros((60, 90), np.int32)
    class_map[10:20, 5:15] = class_map[10:20, 70:80] = class_map[40:50, 70:80] = 1
    return class_map


def count(rating):
    return rating.quantification.find("void", "count").value


def test_all_are_measured_over_what_all_have_annotated(rate):
    """A person who has looked at half of the field has missed nothing elsewhere."""
    half = voids()
    half[:, 45:] = NOT_ANNOTATED
    rated = rate({"anna": voids(), "ben": half})
    assert [count(r) for r in rated.ratings.values()] == [1, 1]
    (note,) = rated.notes
    assert "50 % that all have" in note


def test_what_nobody_has_annotated_needs_no_note(rate):
    class_map = voids()
    class_map[:, 60:65] = NOT_ANNOTATED
    rated = rate({"anna": class_map, "ben": class_map})
    assert [count(r) for r in rated.ratings.values()] == [3, 3]
    assert rated.notes == ()


@pytest.fixture
def rate_tiffs(tmp_path):
    """Give what annotators say of a field whose maps are TIFFs of these pixel sizes."""

    def call(sizes_nm, **known):
        for label, size_nm in sizes_nm.items():
            (tmp_path / label).mkdir()
            scale = {"imagej": True, "metadata": {"unit": "nm"}} if size_nm else {}
            tifffile.imwrite(
                tmp_path / label / "f.tif",
                voids().astype(np.uint8),
                resolution=(1 / (size_nm or 1),) * 2,
                **scale,
            )
        return rate_files([tmp_path / label for label in sizes_nm], **known)

    return call


def test_what_one_file_tells_of_the_pixels_is_true_of_all(rate_tiffs):
    rated = rate_tiffs({"anna": None, "ben": 0.5})
    sizes_nm = {
        r.quantification.calibration.pixel_size_nm for r in rated.ratings.values()
    }
    assert sizes_nm == {rated.calibration.pixel_size_nm} == {0.5}


def test_files_that_tell_two_pixel_sizes_are_refused(rate_tiffs):
    with pytest.raises(DefectKerasError, match=r"anna 0.25 nm, ben 0.5 nm.*-size-nm"):
        rate_tiffs({"anna": 0.25, "ben": 0.5})


def test_the_user_goes_before_files_that_differ(rate_tiffs):
    rated = rate_tiffs({"anna": 0.25, "ben": 0.5}, pixel_size_nm=2.0)
    assert rated.calibration.pixel_size_nm == 2.0


def test_what_the_user_says_is_the_calibration(rate):
    rated = rate(
        {"anna": voids(), "ben": voids()}, pixel_size_nm=0.5, foil_thickness_nm=90.0
    )
    assert rated.calibration.pixel_size_nm == 0.5
    assert rated.calibration.foil_thickness_source == "user"
    found = rated.ratings["ben"].quantification
    assert found.find("void", "number_density_per_m3").value > 0


def test_no_pixel_in_common_is_told(rate):
    left, right = voids(), voids()
    left[:, :45] = right[:, 45:] = NOT_ANNOTATED
    with pytest.raises(DefectKerasError, match="f: no pixel is annotated by all"):
        rate({"anna": left, "ben": right})


def test_sizes_must_be_the_same(rate, tmp_path):
    with pytest.raises(DefectKerasError, match=r"anna \(60, 90\), ben \(90, 60\)"):
        rate({"anna": voids(), "ben": voids().T})
