import io
import zipfile

import h5py
import keras
import numpy as np
import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.registry.bundle import CARD_PAGE, write_bundle
from defectkeras.registry.card import read_card
from defectkeras.registry.manifest import EXTRA_FOLDER, find_damage, read_manifest
from defectkeras.registry.rounding import limit_of
from defectkeras.registry.safe_config import KERAS_FILE


def write(model, card, folder, image, **extra_files):
    write_bundle(model, card, folder, golden_image=image, extra_files=extra_files)


def test_everything_is_there_and_in_the_manifest(
    model, make_card, golden_image, tmp_path
):
    spec = tmp_path / "spec.toml"
    spec.write_text("schema = 1\n")
    folder = tmp_path / "1"
    extra = {"dataset_spec.toml": spec, "metrics.json": b"{}"}
    write(model, make_card(), folder, golden_image, **extra)
    ours = {
        *("model_card.json", "card.md", "model.keras", "golden.npz"),
        *("dataset_spec.toml", "metrics.json"),
    }
    assert set(read_manifest(folder).files) == {
        *("saved_model.pb", "fingerprint.pb", "variables/variables.index"),
        "variables/variables.data-00000-of-00001",
        "assets.extra/tf_serving_warmup_requests",
        *(f"assets.extra/defectkeras/{name}" for name in ours),
    }
    assert find_damage(folder) == ()
    assert (folder / EXTRA_FOLDER / "dataset_spec.toml").read_text() == "schema = 1\n"
    assert (folder / CARD_PAGE).read_text().startswith("# tiny\n")


def test_optimizer_is_left_behind(make_model, make_card, golden_image, tmp_path):
    model = make_model()
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    write(model, make_card(), tmp_path / "1", golden_image)
    with zipfile.ZipFile(tmp_path / "1" / KERAS_FILE) as archive:
        weights = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
        assert "layers" in weights
        assert "optimizer" not in weights
        assert '"adam' not in archive.read("config.json").decode().lower()
    assert len(model.optimizer.variables) > len(model.trainable_variables)


def test_keras_file_is_compressed_and_loads(model, make_card, golden_image, tmp_path):
    write(model, make_card(), tmp_path / "1", golden_image)
    with zipfile.ZipFile(tmp_path / "1" / KERAS_FILE) as archive:
        assert {m.compress_type for m in archive.infolist()} == {zipfile.ZIP_DEFLATED}
    loaded = keras.models.load_model(tmp_path / "1" / KERAS_FILE)
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_classes_of_model_and_card_must_agree(model, make_card, golden_image, tmp_path):
    with pytest.raises(RegistryError, match="give the 2 classes of its card"):
        write(model, make_card(2), tmp_path / "1", golden_image)


def test_single_logit_is_for_two_classes_only(
    make_model, make_card, golden_image, tmp_path
):
    write(make_model(1), make_card(2), tmp_path / "1", golden_image)
    with pytest.raises(RegistryError, match="give the 3 classes of its card"):
        write(make_model(1), make_card(3), tmp_path / "2", golden_image)


@pytest.mark.parametrize("shape", [(None, None, 3), (64, 96, 1)])
def test_model_of_other_input_is_refused(make_card, golden_image, tmp_path, shape):
    image = keras.Input(shape)
    model = keras.Model(image, keras.layers.Conv2D(3, 1)(image))
    with pytest.raises(RegistryError, match=r"grey image of any size, \(B, H, W, 1\)"):
        write(model, make_card(), tmp_path / "1", golden_image)


def test_stride_that_is_not_the_models_is_found(
    model, make_card, golden_image, tmp_path
):
    with pytest.raises(Exception, match=r"(?i)shape|dimension"):
        write(model, make_card(stride=3), tmp_path / "1", golden_image)


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "/x", ".x", "", "manifest.json", "model.keras", "card.md"]
)
def test_extra_file_keeps_to_its_place(model, make_card, golden_image, tmp_path, name):
    with pytest.raises(ValueError, match="plain name"):
        write(model, make_card(), tmp_path / "1", golden_image, **{name: b""})


def test_golden_image_must_be_grey(model, make_card, tmp_path):
    with pytest.raises(ValueError, match="golden_image"):
        write(model, make_card(), tmp_path / "1", np.zeros((3, 5, 3), np.float32))


def test_the_card_tells_how_far_the_export_is_off(
    model, make_card, golden_image, tmp_path
):
    write(model, make_card(), tmp_path / "1", golden_image)
    off = read_card(tmp_path / "1").metrics["export"]
    assert set(off) == {"serving_default", "tiles", "model.keras"}
    limit = limit_of(off["model.keras"]["largest_difference"])
    assert off["tiles"]["largest_difference"] <= limit
    assert read_card(tmp_path / "1").metrics["val"] == make_card().metrics["val"]
