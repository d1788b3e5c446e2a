import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import ServingError
from defectkeras.core.micrograph import Micrograph
from defectkeras.registry.load import load_predict_fn, load_signatures
from defectkeras.registry.store import ModelRegistry
from defectkeras.serving.client import (
    connect,
    remote_class_map,
    remote_predict_fn,
)
from defectkeras.serving.target import Target
from defectkeras.workflows.segment import (
    Segmenter,
    SegmentSettings,
    segment,
)


@pytest.fixture(params=["rest_url", "grpc_url"])
def url(request, server):
    return getattr(server, request.param)


@pytest.fixture
def version(served_root):
    return ModelRegistry(served_root).resolve("tiny@2")


def test_tiles_give_the_same_numbers_as_here(url, version):
    tiles = np.random.default_rng(3).random((3, 20, 28, 1), dtype=np.float32)
    found = remote_predict_fn(version, url)(tiles)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, load_predict_fn(version)(tiles), atol=1e-6)


def test_a_micrograph_is_segmented_the_same(url, version, pixels):
    micrograph = Micrograph(
        np.tile(pixels, (2, 3)).astype(np.float32), Calibration(), "drawn"
    )
    settings = SegmentSettings(tile_size=64, batch_size=2)
    here, there = (
        segment(Segmenter(version, predict_fn), micrograph, settings).class_map
        for predict_fn in (load_predict_fn(version), remote_predict_fn(version, url))
    )
    np.testing.assert_array_equal(here, there)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.int64])
def test_whole_micrographs_go_in_their_own_type(url, version, pixels, dtype):
    image = (pixels % 256 if dtype == np.uint8 else pixels).astype(dtype)
    client = connect(Target(url, "tiny", version.version))
    found = remote_class_map(client, image)
    assert found.dtype == np.int32
    batch = image.astype(np.float32)[np.newaxis, :, :, np.newaxis]
    here = load_signatures(version)["serving_default"](image=batch)["class_map"]
    np.testing.assert_array_equal(found, here[0])


def test_errors_name_server_and_version(url, version):
    ask = remote_predict_fn(version, url)
    with pytest.raises(ServingError, match=r"must answer for tiny@2, but: .*shape"):
        ask(np.zeros((1, 8, 8, 2), np.float32))


@pytest.mark.parametrize("url", ["127.0.0.1:8500", "ftp://x", "grpc://", ""])
def test_what_is_no_url_is_told(url):
    with pytest.raises(ServingError, match="must begin with grpc://"):
        connect(Target(url, "tiny", 1))
