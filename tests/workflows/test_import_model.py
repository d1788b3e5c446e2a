"""Models from elsewhere as versions: the table of sources, the card, the classes."""

import json

import h5py
import numpy as np
import pytest

from defectkeras.core.errors import DatasetError, ModelError, RegistryError
from defectkeras.registry.load import load_predict_fn
from defectkeras.registry.store import ModelRegistry
from defectkeras.registry.verify import verify_version
from defectkeras.workflows.import_model import (
    ImportRequest,
    import_model,
    read_classes,
    read_model,
)

SCHEME = read_classes("matrix, void:region, dislocation:line")
KERNEL = np.random.default_rng(1).normal(size=(3, 3, 1, 3)).astype("f")


@pytest.fixture
def path(tmp_path):
    """One convolution with a softmax, as Keras 2 saved it."""
    image = {"name": "image", "batch_input_shape": [None, 32, 32, 1]}
    out = {"name": "out", "filters": 3, "kernel_size": [3, 3], "padding": "same"}
    layers = [
        {"class_name": "InputLayer", "config": image},
        {"class_name": "Conv2D", "config": {**out, "activation": "softmax"}},
    ]
    description = {"class_name": "Sequential", "config": {"layers": layers}}
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(description)
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = ["out"]
        group = root.create_group("out")
        group.attrs["weight_names"] = ["out/kernel:0", "out/bias:0"]
        group["out/kernel:0"], group["out/bias:0"] = KERNEL, np.zeros(3, "f")
    return tmp_path / "old.h5"


def test_import_publishes_a_version_that_predicts(path, tmp_path):
    request = ImportRequest(
        path,
        "old",
        SCHEME,
        registry_root=tmp_path / "registry",
        scale=(255.0,),
        pixel_size_range_nm=(0.5, 2.0),
        license="CC-BY-4.0",
    )
    version = import_model(request, read_model(request))
    registry = ModelRegistry(tmp_path / "registry")
    verify_version(registry.resolve("old@1"))
    card = version.card
    assert (card.stride, card.receptive_field_px) == (1, 3)
    assert (card.architecture, card.config["scale"]) == ("imported", [255])
    assert (card.license, card.pixel_size_range_nm) == ("CC-BY-4.0", (0.5, 2.0))
    tile = np.zeros((1, 5, 7, 1), "f")
    tile[0, 2, 3] = 1 / 255
    found = load_predict_fn(version)(tile)[0, 1:4, 2:5]
    powers = np.exp(KERNEL[::-1, ::-1, 0])
    expected = powers / powers.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_what_cannot_be_imported_is_told(path, tmp_path):
    other = tmp_path / "model.onnx"
    other.touch()
    with pytest.raises(ModelError, match=r"must be one of: .*Keras 2.*DefectSegNet"):
        read_model(ImportRequest(other, "old", SCHEME))
    with pytest.raises(RegistryError, match="Old"):
        read_model(ImportRequest(path, "Old", SCHEME))
    two = read_classes("matrix, void:region")
    request = ImportRequest(path, "old", two, registry_root=tmp_path / "registry")
    with pytest.raises(RegistryError, match="must give the 2 classes"):
        import_model(request, read_model(request))


def test_classes():
    assert [(c.index, c.name, c.kind) for c in SCHEME.classes] == [
        (0, "matrix", "matrix"),
        (1, "void", "region"),
        (2, "dislocation", "line"),
    ]
    assert read_classes("steel:matrix, void:region").classes[0].name == "steel"
    with pytest.raises(RegistryError, match="'void'"):
        read_classes("matrix, void")
    with pytest.raises(DatasetError, match="at least two"):
        read_classes("matrix")
