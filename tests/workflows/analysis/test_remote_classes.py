"""What a server is not asked for; that it gives the same, tests test_segment.py."""

import numpy as np
import pytest

from defectkeras.core.errors import ServingError
from defectkeras.workflows.analysis.remote_classes import (
    as_integers,
    load_remote_classes,
    require_one_view,
)
from defectkeras.workflows.segment import SegmentSettings

SERVER = {"runtime": "serving", "url": "grpc://127.0.0.1:8500"}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ({}, "no server"),
        ({"runtime": "serving"}, "no server"),
        ({**SERVER, "augment": True}, "--augment"),
        ({**SERVER, "spread": "members", "rescale": True}, "--spread, --rescale"),
    ],
)
def test_more_than_classes_is_refused(words, named):
    settings = SegmentSettings(**words, classes_only=True)
    with pytest.raises(ServingError, match=f"Received: {named}\\. Give --runtime"):
        require_one_view(settings)
    require_one_view(SegmentSettings(**words))  # as long as that is not wanted


def test_the_card_is_that_of_the_registry(tiny_registry):
    model = load_remote_classes(
        "tiny", tiny_registry, SegmentSettings(**SERVER, classes_only=True)
    )
    assert model.version.reference == "tiny@1"
    assert model.sha256 == model.version.sha256
    assert model.scheme == model.version.card.scheme
    assert model.takes_integers


@pytest.mark.parametrize(
    ("levels", "dtype"),
    [
        ([0, 255], np.uint8),
        ([0, 256], np.uint16),
        ([0, 65535], np.uint16),
        ([0, 65536], np.float32),
        ([-1, 3], np.float32),
        ([0, 0.5], np.float32),
    ],
)
def test_grey_levels_go_in_as_few_bytes_as_hold_them(levels, dtype):
    pixels = np.array([levels, levels, levels], np.float32)
    found = as_integers(pixels)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, pixels)
