"""Masks from any tool, measured."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DatasetError, DefectKerasError, MicrographError
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.write import write_micrograph
from defectkeras.workflows.quantify import (
    ClassMapRequest,
    quantify_class_map,
    quantify_into_folder,
    scheme_of_names,
)


def disc(shape=(90, 130), center=(40, 60), diameter=20):
    rows, columns = np.indices(shape)
    return np.hypot(rows - center[0], columns - center[1]) < diameter / 2


@pytest.fixture
def mask_path(tmp_path):
    path = tmp_path / "mask.png"
    Image.fromarray((disc() * 255).astype(np.uint8)).save(path)
    return path


def test_binary_mask_in_nanometres(mask_path):
    request = ClassMapRequest(mask_path, "binary", ("void",), pixel_size_nm=0.5)
    found = quantify_class_map(request)
    diameter = found.find("void", "mean_equivalent_diameter_nm")
    assert found.find("void", "count").value == 1
    assert diameter.value == pytest.approx(10.0, rel=0.02)
    assert found.calibration.pixel_size_source == "user"


def test_0_255_mask_as_classes_asks_for_the_encoding(mask_path):
    with pytest.raises(MicrographError, match="binary"):
        quantify_class_map(ClassMapRequest(mask_path))


def test_touching_objects_with_numbers_stay_two(tmp_path):
    label_map = np.zeros((60, 80), np.uint16)
    label_map[10:30, 10:30] = 7
    label_map[10:30, 30:50] = 9
    path = tmp_path / "labels.tif"
    tifffile.imwrite(path, label_map)
    request = ClassMapRequest(path, "objects", ("loop",))
    assert quantify_class_map(request).find("loop", "count").value == 2


def test_a_micrograph_is_not_taken_for_a_class_map(tmp_path):
    path = tmp_path / "grey.png"
    Image.fromarray(np.arange(200, dtype=np.uint8).reshape(10, 20)).save(path)
    with pytest.raises(DatasetError, match=r"values up to 199.*--encoding objects"):
        quantify_class_map(ClassMapRequest(path))


def test_classes_without_names_are_numbered(tmp_path):
    class_map = np.zeros((40, 70), np.uint8)
    class_map[5:12, 5:12] = 2
    path = tmp_path / "map.png"
    Image.fromarray(class_map).save(path)
    found = quantify_class_map(ClassMapRequest(path))
    assert found.find("class_2", "count").value == 1
    assert found.find("class_1", "count").value == 0
    with pytest.raises(DatasetError, match="index 2 and 1 names"):
        quantify_class_map(ClassMapRequest(path, classes=("void",)))


def test_micrograph_gives_calibration_and_picture(mask_path, tmp_path):
    pixels = np.random.default_rng(0).normal(100, 5, (90, 130)).astype(np.float32)
    micrograph_path = tmp_path / "field.tif"
    write_micrograph(Micrograph(pixels, Calibration(2.0, 80.0), "f"), micrograph_path)
    request = ClassMapRequest(
        mask_path, "binary", ("void",), micrograph_path=micrograph_path
    )
    found = quantify_into_folder(request, tmp_path / "out")
    assert found.calibration.pixel_size_nm == pytest.approx(2.0, rel=1e-5)
    assert (tmp_path / "out" / "field" / "overlay.png").exists()
    assert (tmp_path / "out" / "report.html").exists()
    with pytest.raises(DefectKerasError, match="--overwrite"):
        quantify_into_folder(request, tmp_path / "out")
    small = tmp_path / "small.tif"
    write_micrograph(Micrograph(pixels[:50], Calibration(2.0), "s"), small)
    with pytest.raises(MicrographError, match="height and width"):
        quantify_class_map(ClassMapRequest(mask_path, "binary", micrograph_path=small))


def test_unknown_kind_gets_the_nearest():
    with pytest.raises(DatasetError, match="Did you mean 'line'"):
        scheme_of_names(["dislocation:lin"])
