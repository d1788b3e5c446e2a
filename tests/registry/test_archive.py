"""A version travels as one file and arrives as it left."""

import re
import shutil
import subprocess
import tarfile

import keras
import pytest
import tensorflow as tf

from defectkeras.core.errors import RegistryError
from defectkeras.registry.archive import export_archive, import_archive, opened_archive
from defectkeras.registry.manifest import EXTRA_FOLDER, MANIFEST, write_manifest
from defectkeras.registry.store import ModelRegistry
from defectkeras.registry.verify import verify_version


@pytest.fixture
def archive(registry, tmp_path):
    export_archive(registry.resolve("tiny@1"), tmp_path / "tiny-1.tar.gz")
    return tmp_path / "tiny-1.tar.gz"


@pytest.fixture
def other(tmp_path):
    return ModelRegistry(tmp_path / "other")


def pack_again(registry, archive, change):
    """Pack the version anew after a change, its manifest made to fit."""
    folder = registry.root / "tiny" / "1"
    change(folder)
    write_manifest(folder)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, "tiny/1")


def test_version_arrives_as_it_left(registry, archive, other):
    version = import_archive(other, archive, trust=True)
    assert version.reference == "tiny@1"
    assert version.sha256 == registry.resolve("tiny@1").sha256
    verify_version(version)


def test_same_version_is_not_taken_twice(archive, other):
    first = import_archive(other, archive, trust=True)
    assert import_archive(other, archive, trust=True) == first
    assert import_archive(other, archive, trust=False) == first
    assert other.versions("tiny") == (1,)


@pytest.mark.parametrize("file", ["card.md", "model_card.json", "manifest.json"])
def test_damaged_version_is_imported_anew(registry, archive, file):
    (registry.root / "tiny" / "1" / EXTRA_FOLDER / file).unlink()
    version = import_archive(registry, archive, trust=True)
    assert version.reference == "tiny@2"
    verify_version(version)


def test_another_version_gets_the_next_number(
    registry, archive, model, make_card, golden_image
):
    card = make_card(metrics={"other": 1})
    registry.publish("tiny", model, card, golden_image=golden_image)
    shutil.rmtree(registry.root / "tiny" / "1")
    assert import_archive(registry, archive, trust=True).version == 3


def test_export_gives_the_same_bytes_each_time(registry, archive, tmp_path):
    again = tmp_path / "again.tar.gz"
    export_archive(registry.resolve("tiny"), again)
    assert again.read_bytes() == archive.read_bytes()
    with pytest.raises(RegistryError, match="must not exist yet"):
        export_archive(registry.resolve("tiny"), again)


def test_archive_is_checked_by_usual_tools(archive, tmp_path):
    subprocess.run(["tar", "-xzf", archive, "-C", tmp_path], check=True)
    assert (tmp_path / "tiny" / "1" / "saved_model.pb").exists()


def test_without_trust_nothing_is_loaded(archive, other):
    with pytest.raises(RegistryError, match=r"nothing beyond computing .* --trust"):
        import_archive(other, archive, trust=False)
    assert other.names() == ()


def test_changed_byte_is_told(registry, archive, other, tmp_path):
    folder = registry.root / "tiny" / "1"
    path = folder / EXTRA_FOLDER / "card.md"
    path.write_text(path.read_text() + " ")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, "tiny/1")
    told = rf"^{re.escape(str(archive))} must .*card\.md was changed"
    with pytest.raises(RegistryError, match=told):
        import_archive(other, archive, trust=True)
    (folder / MANIFEST).write_text("[1")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, "tiny/1")
    told = rf"^{re.escape(str(archive))}: assets.*manifest\.json must be JSON"
    with pytest.raises(RegistryError, match=told):
        import_archive(other, archive, trust=True)
    assert other.names() == ()


def test_archive_of_something_else_is_told(tmp_path, other):
    (tmp_path / "text").write_text("text")
    with tarfile.open(tmp_path / "text.tar", "w") as tar:
        tar.add(tmp_path / "text", "text")
    with pytest.raises(RegistryError, match="must hold one version"):
        import_archive(other, tmp_path / "text.tar", trust=True)


def test_program_in_the_graph_is_named(registry, archive, other):
    def spy(folder):
        module = tf.Module()
        module.read = tf.function(
            lambda image: {"probability_map": tf.io.read_file("/etc/hostname")},
            input_signature=[tf.TensorSpec((None, None, None, 1), name="image")],
        )
        shutil.rmtree(folder / "variables")
        extra = shutil.copytree(folder / "assets.extra", folder.parent / "kept")
        tf.saved_model.save(module, folder, signatures={"tiles": module.read})
        shutil.rmtree(folder / "assets.extra", ignore_errors=True)
        extra.rename(folder / "assets.extra")

    pack_again(registry, archive, spy)
    with opened_archive(archive) as found:
        assert any("operation ReadFile" in text for text in found.unusual)
    with pytest.raises(RegistryError, match="operation ReadFile"):
        import_archive(other, archive, trust=False)


def test_golden_that_does_not_come_out_gets_no_number(registry, archive, other):
    def swap(folder):
        path = folder / EXTRA_FOLDER / "model.keras"
        model = keras.saving.load_model(path)
        model.set_weights([0.5 * w for w in model.get_weights()])
        model.save(path)

    pack_again(registry, archive, swap)
    with pytest.raises(RegistryError, match="must give the golden"):
        import_archive(other, archive, trust=True)
    assert other.names() == ()
