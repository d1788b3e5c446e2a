"""A segmentation in files against the bands that it comes from."""

from types import SimpleNamespace

import numpy as np
import pytest

from defectkeras.core.errors import MicrographError
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.prediction.descriptors import relative_entropy
from defectkeras.quantification.row_maps import RowMaps
from defectkeras.workflows.analysis.segmented_rows import segment_into_files
from defectkeras.workflows.segment import Segmenter, SegmentSettings, segment_bands

SHAPE = (151, 97)


def segmenter(num_classes=2):
    defects = [DefectClass(n, f"void {n}", "region") for n in range(1, num_classes)]
    card = SimpleNamespace(
        scheme=LabelScheme((DefectClass(0, "matrix", "matrix"), *defects)),
        receptive_field_px=1,
        stride=1,
        threshold_values=lambda: None,
        augment=False,
        views=lambda augment: "square" if augment else "none",
    )
    return Segmenter(
        SimpleNamespace(card=card), lambda tiles: np.concatenate([1 - tiles, tiles], -1)
    )


def test_files_hold_what_the_bands_are(tmp_path):
    image = np.random.default_rng(0).random(SHAPE, dtype=np.float32)
    image[40:60, 30:50] = 0.9
    whole = RowMaps(SHAPE, lambda first, stop: image[first:stop], band_px=700)
    settings = SegmentSettings(tile_size=48, min_area_px=30)
    found = segment_into_files(segmenter(), whole.classes, whole, settings, tmp_path)
    bands = list(segment_bands(segmenter(), whole.classes, SHAPE, settings))
    assert len(bands) > 1
    probability = np.concatenate([band.probability_map for band in bands])
    own = np.maximum(image, 1 - image)
    np.testing.assert_allclose(found.probability.read(0, SHAPE[0]), own, atol=1e-6)
    np.testing.assert_array_equal(
        found.entropy.read(0, 76), relative_entropy(probability)
    )
    classes = found.classes.read(0, SHAPE[0])
    assert classes[40:60, 30:50].all()
    assert found.uncertainty is None
    assert found.others == ()


def test_too_many_classes_are_told(tmp_path):
    whole = RowMaps(SHAPE, lambda first, stop: np.zeros((stop - first, SHAPE[1])))
    with pytest.raises(MicrographError, match="255"):
        segment_into_files(
            segmenter(300), whole.classes, whole, SegmentSettings(), tmp_path
        )
