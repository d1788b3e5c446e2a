"""Which classes a `.keras` file names, told before one of them is built."""

import json
import zipfile

import keras
import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.models import build_model
from defectkeras.models.build import MODEL_BUILDERS
from defectkeras.registry.safe_config import KERAS_FILE, find_foreign_classes


@pytest.fixture
def folder(tmp_path):
    (tmp_path / KERAS_FILE).parent.mkdir(parents=True)
    return tmp_path


def write(table, folder):
    config = {"module": "keras", "class_name": "Model", "config": {"l": [[table]]}}
    with zipfile.ZipFile(folder / KERAS_FILE, "w") as archive:
        archive.writestr("config.json", json.dumps(config))


def test_our_models_are_ordinary(folder):
    assert "defectsegnet" in MODEL_BUILDERS
    build_model("defectsegnet", num_classes=3, variant="released").save(
        folder / KERAS_FILE
    )
    assert find_foreign_classes(folder) == ()


def test_lambda_is_named(folder):
    image = keras.Input((8, 12, 1))
    keras.Model(image, keras.layers.Lambda(lambda x: x)(image)).save(
        folder / KERAS_FILE
    )
    found = find_foreign_classes(folder)
    assert "class keras.layers.Lambda in model.keras" in found


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("keras.utils", "get_file"),
        ("keras.config", "enable_unsafe_deserialization"),
        ("keras.src.saving.serialization_lib", "enable_unsafe_deserialization"),
        ("keras.layers", "TFSMLayer"),
        ("keras_evil.layers", "Dense"),
        (None, "Dense"),
    ],
)
def test_foreign_class_is_named_at_any_depth(folder, module, name):
    table = {"class_name": name, "config": {}, "registered_name": None}
    if module:
        table["module"] = module
    write(table, folder)
    assert len(find_foreign_classes(folder)) == 1


def test_foreign_class_under_a_name_of_ours_is_named(folder):
    name = "defectkeras>no_such_layer"
    write({"class_name": "system", "module": "os", "registered_name": name}, folder)
    assert find_foreign_classes(folder) == ("class os.system in model.keras",)


def test_json_that_is_nested_too_deep_is_told(folder):
    with zipfile.ZipFile(folder / KERAS_FILE, "w") as archive:
        archive.writestr("config.json", "[" * 200_000)
    with pytest.raises(RegistryError, match="cannot be read"):
        find_foreign_classes(folder)


def test_broken_file_is_told(folder):
    (folder / KERAS_FILE).write_bytes(b"no zip")
    with pytest.raises(RegistryError, match="cannot be read"):
        find_foreign_classes(folder)
