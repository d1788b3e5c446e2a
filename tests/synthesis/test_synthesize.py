import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from defectkeras.core.errors import CalibrationError, DatasetError
from defectkeras.synthesis.contents import SCHEME, Contents
from defectkeras.synthesis.imaging import Imaging
from defectkeras.synthesis.presets import PRESETS
from defectkeras.synthesis.synthesize import synthesize

SHAPE = (144, 224)

DIGEST = """
import hashlib
from defectkeras.synthesis.synthesize import synthesize
s = synthesize("bright-field-tem", shape=(144, 224), seed=12)
arrays = (s.micrograph.pixels, s.class_map, s.label_map)
print(hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest())
"""


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_gives_a_whole_micrograph(preset):
    synthetic = synthesize(preset, shape=SHAPE, pixel_size_nm=0.8, seed=3)
    pixels = synthetic.micrograph.pixels
    assert pixels.shape == synthetic.class_map.shape == SHAPE
    assert synthetic.label_map.shape == SHAPE
    assert pixels.dtype == np.float32
    assert synthetic.class_map.dtype == synthetic.label_map.dtype == np.int32
    np.testing.assert_array_equal(pixels, np.rint(pixels))
    assert 0 <= pixels.min() < pixels.max() <= 65535
    assert synthetic.class_map.max() < PRESETS[preset].scheme.num_classes
    assert synthetic.micrograph.name == f"{preset}-3"
    calibration = synthetic.micrograph.calibration
    assert (calibration.pixel_size_nm, calibration.foil_thickness_nm) == (0.8, 100.0)
    assert calibration.pixel_size_source == "synthetic"
    json.dumps(dict(synthetic.micrograph.metadata), allow_nan=False)
    json.dumps(synthetic.truth.to_dict(), allow_nan=False)


def test_same_seed_same_bytes_in_another_process():
    here = synthesize("bright-field-tem", shape=SHAPE, seed=12)
    arrays = (here.micrograph.pixels, here.class_map, here.label_map)
    digest = hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest()
    there = subprocess.run(
        [sys.executable, "-c", DIGEST], check=True, capture_output=True, text=True
    )
    assert there.stdout.strip() == digest


def test_seeds_differ():
    first, second = (synthesize(shape=SHAPE, seed=s) for s in (1, 2))
    assert not np.array_equal(first.micrograph.pixels, second.micrograph.pixels)
    assert first.micrograph.metadata["imaging"] != second.micrograph.metadata["imaging"]


def test_objects_of_the_label_map_are_listed():
    synthetic = synthesize("bright-field-tem", shape=SHAPE, seed=5)
    objects = {o.label: o for o in synthetic.truth.objects}
    labels = np.unique(synthetic.label_map)
    assert set(labels[labels > 0]) <= set(objects)
    for label in labels[labels > 0]:
        classes = np.unique(synthetic.class_map[synthetic.label_map == label])
        assert classes.tolist() == [SCHEME.by_name(objects[label].class_name).index]
    np.testing.assert_array_equal(synthetic.label_map > 0, synthetic.class_map > 0)


def test_regions_have_three_pixels_between_them():
    contents = Contents(
        precipitates_per_m3=3e21,
        voids_per_m3=8e21,
        loops_per_m3=2e21,
        loop_diameter_nm=15,
    )
    synthetic = synthesize("loops", shape=SHAPE, seed=5, contents=contents)
    regions = np.where(synthetic.class_map >= 2, synthetic.label_map, 0)
    labels = np.unique(regions)[1:]
    assert len(labels) > 20
    for label in labels:
        grown = ndimage.binary_dilation(regions == label, np.ones((3, 3)), 3)
        assert set(np.unique(regions[grown])) <= {0, label}


def test_contents_and_imaging_can_be_given():
    imaging = Imaging(dose_per_px=1e5, blur_px=0.0)
    synthetic = synthesize(
        shape=SHAPE, seed=1, contents=Contents(), imaging=imaging, name="blank"
    )
    assert synthetic.micrograph.name == "blank"
    assert not synthetic.class_map.any()
    pixels = synthetic.micrograph.pixels
    assert pixels.std() < 0.01 * pixels.mean()


def test_defects_have_contrast():
    imaging = Imaging(dose_per_px=1e4, defocus_nm=-500.0)
    contents = Contents(
        dislocation_density_per_m2=4e14, precipitates_per_m3=2e21, voids_per_m3=4e21
    )
    synthetic = synthesize(shape=SHAPE, seed=2, contents=contents, imaging=imaging)
    level = [
        np.median(synthetic.micrograph.pixels[synthetic.class_map == k])
        for k in range(4)
    ]
    assert level[1] < 0.9 * level[0]
    assert level[2] < 0.9 * level[0]
    assert level[3] > 1.03 * level[0]


def test_wrong_input_is_told():
    with pytest.raises(DatasetError, match="Did you mean 'dci-stem'"):
        synthesize("dci_stem", seed=0)
    with pytest.raises(CalibrationError, match="pixel_size_nm"):
        synthesize(pixel_size_nm=0.0, seed=0)
    with pytest.raises(ValueError, match="`shape` must be"):
        synthesize(shape=(16, 64), seed=0)
    with pytest.raises(ValueError, match="`seed` must be"):
        synthesize(seed=-1)
