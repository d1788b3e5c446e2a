import numpy as np
import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.registry.load import load_predict_fn
from defectkeras.registry.store import ModelRegistry
from defectkeras.serving.servable import load_servable
from defectkeras.serving.status import Code, StatusError


@pytest.fixture(scope="module")
def servable(served_root):
    return load_servable(ModelRegistry(served_root).resolve("tiny@2"))


def test_it_gives_what_the_registry_gives(servable):
    tiles = np.random.default_rng(0).random((2, 12, 20, 1), dtype=np.float32)
    servable.check("tiles", {"image": tiles}, ())
    found = servable.run("tiles", {"image": tiles})["probability_map"]
    np.testing.assert_array_equal(found, load_predict_fn(servable.version)(tiles))


def test_only_wanted_outputs_are_given(servable, pixels):
    image = pixels[np.newaxis, :, :, np.newaxis]
    found = servable.run("serve_uint16", {"image": image}, ["class_map"])
    assert {name: value.shape for name, value in found.items()} == {
        "class_map": (1, 37, 53)
    }


def tile_with(*pixels):
    tile = np.zeros((1, 4, 8, 1), np.float32)
    tile[0, 1, : len(pixels), 0] = pixels
    return tile


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.zeros((1, 4, 8, 1), np.float64), "to be float32 but float64"),
        (np.zeros((4, 8, 1), np.float32), "to have shape"),
        (np.zeros((1, 4, 8, 3), np.float32), "to have shape"),
        (np.zeros((0, 4, 8, 1), np.float32), "at least one element"),
        (np.zeros((1, 0, 8, 1), np.float32), "at least one element"),
        (np.array([b"x"], object), "but string is provided"),
        (tile_with(np.nan), "image to be finite numbers.* nan to nan is provided"),
        (tile_with(np.inf), "image to be finite numbers.* 0 to inf is provided"),
        (tile_with(-np.inf), "image to be finite numbers.* -inf to 0 is provided"),
        (tile_with(3e38, -3e38), "their span too, but -3e.38 to 3e.38 is provided"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(servable, value, told):
    with pytest.raises(StatusError, match=told) as caught:
        servable.check("tiles", {"image": value}, ())
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_tensorflows_own_errors_keep_their_code(servable):
    with pytest.raises(StatusError) as caught:
        servable.run("serve_encoded", {"image_bytes": np.array([b"no"], object)})
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert str(caught.value).startswith("Unknown image file format")


def test_a_damaged_version_is_not_loaded(own_registry):
    version = own_registry.resolve("tiny@1")
    with (version.path / "saved_model.pb").open("ab") as file:
        file.write(b"x")
    with pytest.raises(RegistryError, match=r"saved_model\.pb"):
        load_servable(version)
