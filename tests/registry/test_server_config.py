import errno
import shutil

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from defectkeras.core.errors import RegistryError
from defectkeras.registry.aliases import BOOK
from defectkeras.registry.server_config import (
    SERVER_CONFIG,
    refresh_server_config,
    served_versions,
    write_server_config,
)


def read(root):
    text = (root / SERVER_CONFIG).read_text()
    return text_format.Parse(text, ModelServerConfig()).model_config_list.config


def add_versions(registry, *numbers):
    for number in numbers:
        folder = registry.root / "tiny"
        shutil.copytree(folder / "1", folder / str(number))


def test_it_is_what_the_official_proto_reads(registry):
    add_versions(registry, 2, 3, 4)
    registry.set_alias("tiny", "production", 2)
    write_server_config(registry.root, "/models/")
    (config,) = read(registry.root)
    assert config.name == "tiny"
    assert config.base_path == "/models/tiny"
    assert config.model_platform == "tensorflow"
    assert list(config.model_version_policy.specific.versions) == [2, 3, 4]
    assert dict(config.version_labels) == {"production": 2}


def test_it_follows_the_aliases_once_it_is_there(registry):
    registry.set_alias("tiny", "production", 1)
    refresh_server_config(registry.root)
    assert not (registry.root / SERVER_CONFIG).exists()

    write_server_config(registry.root, "/models")
    add_versions(registry, 2, 3, 4)
    registry.set_alias("tiny", "production", 2)
    (config,) = read(registry.root)
    assert config.version_labels["production"] == 2
    assert list(config.model_version_policy.specific.versions) == [1, 2, 3, 4]
    assert config.base_path == "/models/tiny"  # the base is kept

    registry.rollback("tiny", "production")
    (config,) = read(registry.root)
    assert config.version_labels["production"] == 1


def test_damage_of_one_model_does_not_hold_up_the_others(registry):
    shutil.copytree(registry.root / "tiny", registry.root / "broken")
    write_server_config(registry.root, "/models")
    (registry.root / "broken" / BOOK).write_text("{")
    add_versions(registry, 2)
    registry.set_alias("tiny", "production", 2)
    broken, tiny = read(registry.root)
    assert (broken.name, tiny.name) == ("broken", "tiny")
    assert list(broken.model_version_policy.specific.versions) == [1]  # as before
    assert tiny.version_labels["production"] == 2
    with pytest.raises(RegistryError, match="must be JSON"):
        write_server_config(registry.root, "/models")


def test_a_full_disk_undoes_no_move_and_says_so(registry, monkeypatch):
    write_server_config(registry.root, "/models")

    def refuse(path, _text):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("defectkeras.registry.server_config.write_whole", refuse)
    with pytest.raises(RegistryError, match=r"change was made.*No space left") as told:
        registry.set_alias("tiny", "production", 1)
    assert "Nothing was changed" not in str(told.value)
    assert registry.aliases("tiny") == {"production": 1}


def test_version_that_is_still_being_copied_is_left_out(registry):
    add_versions(registry, 2)
    (registry.root / "tiny" / "2" / "saved_model.pb").unlink()
    (registry.root / "tiny" / "3").mkdir()
    write_server_config(registry.root, "/models")
    (config,) = read(registry.root)
    assert list(config.model_version_policy.specific.versions) == [1]


def test_what_a_label_meant_shortly_before_stays(registry):
    add_versions(registry, *range(2, 9))
    for version in (1, 2, 3, 4, 5):
        registry.set_alias("tiny", "production", version)
    assert served_versions(registry.root / "tiny") == (2, 3, 4, 5, 7, 8)


def test_a_published_version_is_listed(registry, model, make_card, golden_image):
    write_server_config(registry.root, "/models")
    registry.publish("tiny", model, make_card(), golden_image=golden_image)
    (config,) = read(registry.root)
    assert list(config.model_version_policy.specific.versions) == [1, 2]


def test_an_empty_registry_serves_nothing(tmp_path):
    write_server_config(tmp_path, "/models")
    assert list(read(tmp_path)) == []
