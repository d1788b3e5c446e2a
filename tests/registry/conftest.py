"""What the registry's tests share: a tiny model, its card, and a golden image."""

import shutil

import keras
import numpy as np
import pytest

from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.registry.card import ModelCard
from defectkeras.registry.store import ModelRegistry

CLASSES = (
    DefectClass(0, "matrix", "matrix"),
    DefectClass(1, "dislocation", "line"),
    DefectClass(2, "void", "region"),
)


def build(num_classes: int = 3, *, seed: int = 0) -> keras.Model:
    """Build a network of stride 8 with every kind of layer that needs care."""
    layers = keras.layers
    image = keras.Input((None, None, 1), name="image")
    fine = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    fine = layers.BatchNormalization()(fine)
    coarse = layers.Dropout(0.2)(layers.MaxPooling2D(8)(fine))
    coarse = layers.Conv2DTranspose(3, 8, strides=8)(coarse)
    joined = layers.Concatenate()([fine, coarse])
    head = layers.Conv2D(num_classes, 3, padding="same", dtype="float32")
    model = keras.Model(image, head(joined))
    random = np.random.default_rng(seed)
    model.set_weights([random.uniform(0.1, 1, w.shape) for w in model.get_weights()])
    head.kernel.assign(random.uniform(-1, 1, head.kernel.shape))
    return model


def describe(num_classes: int = 3, **changes) -> ModelCard:
    values = {
        "name": "tiny",
        "description": "Finds dislocations and voids in drawn images.",
        "architecture": "tiny",
        "arguments": {"num_classes": num_classes},
        "scheme": LabelScheme(CLASSES[:num_classes]),
        "stride": 8,
        "receptive_field_px": 24,
        "pixel_size_range_nm": (0.5, 2.0),
        "dataset_name": "drawn",
        "dataset_fingerprint": "sha256:" + "0" * 64,
        "split": {"train": ["a", "b"], "val": ["c"]},
        "license": "Apache-2.0",
        "attribution": "Drawn by the tests.",
        "config": {"epochs": 3, "learning_rate": 1e-3},
        "metrics": {"val": {"iou": {"void": 0.75, "dislocation": None}}},
        "environment": {"python": "3.11"},
        "intended_use": "Tests.",
        "limits": "Everything else.",
        "created": "2026-01-02T03:04:05+00:00",
    }
    return ModelCard(**{**values, **changes})


@pytest.fixture(scope="session")
def make_model():
    return build


@pytest.fixture(scope="session")
def make_card():
    return describe


@pytest.fixture(scope="session")
def model():
    return build()


@pytest.fixture(scope="session")
def golden_image():
    random = np.random.default_rng(7)
    return random.integers(900, 30_000, (37, 53)).astype(np.float32)


@pytest.fixture(scope="session")
def published_root(tmp_path_factory, model, golden_image):
    """A registry with one version; only to be copied from."""
    root = tmp_path_factory.mktemp("registry")
    ModelRegistry(root).publish("tiny", model, describe(), golden_image=golden_image)
    return root


@pytest.fixture
def registry(published_root, tmp_path):
    """A registry of one's own with "tiny@1"."""
    shutil.copytree(published_root, tmp_path / "saved_models")
    return ModelRegistry(tmp_path / "saved_models")
