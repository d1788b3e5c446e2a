"""What the tests of serving share: three tiny versions, and a server over them."""

import shutil

import keras
import numpy as np
import pytest

from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.registry.card import ModelCard
from defectkeras.registry.store import ModelRegistry
from defectkeras.serving.server import running_server
from defectkeras.serving.settings import ServerSettings

CLASSES = (
    DefectClass(0, "matrix", "matrix"),
    DefectClass(1, "dislocation", "line"),
    DefectClass(2, "void", "region"),
)
SETTINGS = ServerSettings(port=0, grpc_port=0, poll_s=0.05)


def build(seed: int) -> keras.Model:
    """Build a network of stride 4 whose weights are those of the seed."""
    image = keras.Input((None, None, 1))
    fine = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    coarse = keras.layers.UpSampling2D(4)(keras.layers.AveragePooling2D(4)(fine))
    joined = keras.layers.Concatenate()([fine, coarse])
    model = keras.Model(image, keras.layers.Conv2D(3, 3, padding="same")(joined))
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(size=w.shape) for w in model.get_weights()])
    return model


def describe() -> ModelCard:
    return ModelCard(
        name="tiny",
        description="Finds dislocations and voids in drawn images.",
        architecture="tiny",
        arguments={"num_classes": 3},
        scheme=LabelScheme(CLASSES),
        stride=4,
        receptive_field_px=12,
        pixel_size_range_nm=(0.5, 2.0),
        dataset_name="drawn",
        dataset_fingerprint="sha256:" + "0" * 64,
        split={"train": ["a"], "val": ["b"]},
        license="Apache-2.0",
        attribution="Drawn by the tests.",
        config={"epochs": 1},
        metrics={},
        environment={"python": "3.11"},
        intended_use="Tests.",
        limits="Everything else.",
        created="2026-01-02T03:04:05+00:00",
    )


@pytest.fixture(scope="session")
def pixels():
    random = np.random.default_rng(7)
    return random.integers(900, 30_000, (37, 53)).astype(np.uint16)


@pytest.fixture(scope="session")
def served_root(tmp_path_factory, pixels):
    """A registry with tiny@1 to tiny@3, production is 1; only to be read."""
    registry = ModelRegistry(tmp_path_factory.mktemp("served"))
    for seed in range(3):
        golden = pixels.astype(np.float32)
        registry.publish("tiny", build(seed), describe(), golden_image=golden)
    registry.set_alias("tiny", "production", 2)
    registry.set_alias("tiny", "production", 1)
    return registry.root


@pytest.fixture
def own_registry(served_root, tmp_path):
    """The same to be changed."""
    shutil.copytree(served_root, tmp_path / "saved_models")
    return ModelRegistry(tmp_path / "saved_models")


@pytest.fixture(scope="session")
def settings():
    return SETTINGS


@pytest.fixture(scope="session")
def server(served_root):
    """The address of a server over `served_root`."""
    with running_server(ModelRegistry(served_root), SETTINGS) as address:
        yield address
