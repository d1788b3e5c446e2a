import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.errors import RegistryError
from defectkeras.registry.folders import find_versions
from defectkeras.registry.store import ModelRegistry, default_registry_root
from defectkeras.registry.verify import verify_version
from defectkeras.registry.version import ModelVersion

NOBODY = 65534


def publish(registry, model, card, image) -> ModelVersion:
    return registry.publish(card.name, model, card, golden_image=image)


def copy_version(registry, name, version) -> None:
    """A further version, without the time that an export takes."""
    source, target = registry.root / "tiny" / "1", registry.root / name / str(version)
    subprocess.run(["cp", "-r", source, target], check=True)


def everything_below(root: Path) -> set[str]:
    return {p.relative_to(root).as_posix() for p in root.rglob("*")}


def test_published_version_is_found_again(registry, model, make_card, golden_image):
    version = publish(registry, model, make_card(metrics={"a": 1}), golden_image)
    assert (version.name, version.version) == ("tiny", 2)
    assert version == registry.resolve("tiny") == registry.resolve("tiny@2")
    assert version.card.metrics["a"] == 1
    assert version.path == registry.root / "tiny" / "2"
    assert version.sha256 != registry.resolve("tiny@1").sha256
    assert registry.versions("tiny") == (1, 2)
    verify_version(version)


def test_empty_registry(tmp_path):
    registry = ModelRegistry(tmp_path / "saved_models")
    assert registry.names() == ()
    with pytest.raises(RegistryError, match=r"none yet\. Those that come"):
        registry.resolve("tiny")


def test_names_are_those_of_models_with_a_version(registry):
    (registry.root / "empty").mkdir()
    (registry.root / "README.md").write_text("text")
    (registry.root / "Foreign" / "1").mkdir(parents=True)
    (registry.root / "voids").mkdir()
    copy_version(registry, "voids", 3)
    assert registry.names() == ("tiny", "voids")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("tinny", "No model 'tinny' in the registry .*Did you mean 'tiny'"),
        ("tiny@7", "tiny has no version 7. Known: 1."),
        ("tiny@prodction", "tiny has no alias 'prodction'.* mean 'production'"),
        ("../tiny", "A model name must begin"),
        ("tiny@../1", "An alias must begin"),
    ],
)
def test_unknown_reference_names_the_nearest(registry, reference, message):
    registry.set_alias("tiny", "production", 1)
    with pytest.raises(RegistryError, match=message):
        registry.resolve(reference)


def test_alias_moves_and_remembers(registry):
    copy_version(registry, "tiny", 2)
    registry.set_alias("tiny", "production", 1, why="the first")
    registry.set_alias("tiny", "production", 2, why="better on voids")
    registry.set_alias("tiny", "candidate", 2)
    assert registry.resolve("tiny@production").version == 2
    assert registry.aliases("tiny") == {"candidate": 2, "production": 2}
    told = [(m.alias, m.from_version, m.why) for m in registry.alias_history("tiny")]
    assert told == [
        ("production", None, "the first"),
        ("production", 1, "better on voids"),
        ("candidate", None, ""),
    ]


@pytest.mark.parametrize(
    ("name", "alias", "version", "message"),
    [
        ("tiny", "production", 2, "has no version 2"),
        ("tiny", "Production", 1, "An alias must begin"),
        ("tinny", "production", 1, "Did you mean 'tiny'"),
    ],
)
def test_bad_alias_changes_nothing(registry, name, alias, version, message):
    before = everything_below(registry.root)
    with pytest.raises(RegistryError, match=message):
        registry.set_alias(name, alias, version)
    assert registry.aliases("tiny") == {}
    assert everything_below(registry.root) - before <= {"tiny/.lock"}


def test_alias_of_a_deleted_version_is_told(registry):
    copy_version(registry, "tiny", 2)
    registry.set_alias("tiny", "production", 2)
    subprocess.run(["rm", "-r", registry.root / "tiny" / "2"], check=True)
    with pytest.raises(RegistryError, match=r"has no version 2\. Known: 1"):
        registry.resolve("tiny@production")


def test_card_of_another_name_is_a_slip(registry, model, make_card, golden_image):
    with pytest.raises(ValueError, match="must be the card's"):
        registry.publish("other", model, make_card(), golden_image=golden_image)


@keras.saving.register_keras_serializable("defectkeras-tests")
class ForgetsItsFactor(keras.layers.Layer):
    """Comes back from a file with another factor: a usual slip."""

    def __init__(self, factor=1.0, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, x):
        return self.factor * x

    def get_config(self):
        return {"name": self.name}


@keras.saving.register_keras_serializable("defectkeras-tests")
class DiffersInGraphs(keras.layers.Layer):
    def call(self, x):
        return x if tf.executing_eagerly() else 0.5 * x


@pytest.mark.parametrize(
    "layer", [ForgetsItsFactor(0.5), DiffersInGraphs()], ids=lambda layer: layer.name
)
def test_export_that_is_off_gets_no_number(
    registry, model, make_card, golden_image, layer
):
    before = everything_below(registry.root)
    slip = keras.Model(model.input, layer(model.output))
    with pytest.raises(RegistryError, match="must give the golden"):
        publish(registry, slip, make_card(), golden_image)
    assert everything_below(registry.root) == before


def test_foreign_saved_model_is_told(registry):
    (registry.root / "foreign" / "1").mkdir(parents=True)
    with pytest.raises(RegistryError, match=r"model_card\.json cannot be read"):
        registry.resolve("foreign")


@pytest.fixture
def read_only(model, make_card, golden_image):
    """A registry that is there but not ours to write, also when we are root."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        publish(ModelRegistry(root), model, make_card(), golden_image)
        writable = [root, root / "tiny"]
        for path in writable:
            path.chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(NOBODY)
        yield ModelRegistry(root)
        if user == 0:
            os.seteuid(0)
        for path in writable:
            path.chmod(0o755)


def test_read_only_registry_is_told(read_only, model, make_card, golden_image):
    for card in (make_card(), make_card(name="other")):
        with pytest.raises(RegistryError, match=r"must be writable .* denied"):
            publish(read_only, model, card, golden_image)
    with pytest.raises(RegistryError, match=r"must be writable .* denied"):
        read_only.set_alias("tiny", "production", 1)
    assert read_only.names() == ("tiny",)
    assert read_only.resolve("tiny").version == 1
    assert everything_below(read_only.root / "tiny") >= {"1/saved_model.pb"}


@pytest.mark.parametrize("most_bytes", [0, 900, 60_000, 120_000])
def test_disk_that_is_full_leaves_nothing(
    tmp_path, model, make_card, golden_image, most_bytes
):
    """No file may become larger than this, so another file fails each time."""
    registry = ModelRegistry(tmp_path)
    image = np.tile(golden_image, (4, 4))  # a golden of more than 120 kB
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        with pytest.raises(RegistryError):
            publish(registry, model, make_card(), image)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert registry.names() == ()
    assert everything_below(tmp_path) <= {"tiny", "tiny/.lock"}
    assert find_versions(tmp_path / "tiny") == ()
    assert publish(registry, model, make_card(), golden_image).version == 1


def test_disk_without_room_leaves_nothing(tmp_path, model, make_card, golden_image):
    """The same on a real full disk, where we may make one."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", tmp_path]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root")
    try:
        with pytest.raises(RegistryError):
            publish(ModelRegistry(tmp_path), model, make_card(), golden_image)
        assert everything_below(tmp_path) <= {"tiny", "tiny/.lock"}
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.slow
def test_killed_publishers_leave_only_versions_that_verify(registry, tmp_path):
    """As in test_folders, with a real model: the kill may hit the export."""
    code = f"""
import sys
from pathlib import Path
import numpy as np
from defectkeras.registry.load import load_model
from defectkeras.registry.store import ModelRegistry
registry = ModelRegistry(Path({str(registry.root)!r}))
version = registry.resolve("tiny@1")
model, image = load_model(version), np.random.rand(90, 70).astype(np.float32)
while True:
    registry.publish("tiny", model, version.card, golden_image=image)
    sys.stdout.write("published\\n")
    sys.stdout.flush()
"""
    random = np.random.default_rng(1)
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout.readline() == b"published\n"
        time.sleep(random.uniform(0, 3))
        process.kill()
        process.wait()
        process.stdout.close()
    versions = registry.versions("tiny")
    assert len(versions) >= 4
    for version in versions:
        verify_version(registry.resolve(f"tiny@{version}"))


def test_root_that_is_a_file_is_told(tmp_path, model, make_card, golden_image):
    (tmp_path / "file").write_text("")
    with pytest.raises(RegistryError, match="must be writable"):
        publish(ModelRegistry(tmp_path / "file"), model, make_card(), golden_image)


def test_default_root(monkeypatch, tmp_path):
    monkeypatch.delenv("DEFECTKERAS_REGISTRY", raising=False)
    assert default_registry_root() == Path("saved_models")
    monkeypatch.setenv("DEFECTKERAS_REGISTRY", str(tmp_path))
    assert default_registry_root() == tmp_path == ModelRegistry().root


def test_looking_around_needs_no_tensorflow(registry):
    code = f"""
import sys
from pathlib import Path
from defectkeras.registry.card_markdown import card_markdown
from defectkeras.registry.store import ModelRegistry
registry = ModelRegistry(Path({str(registry.root)!r}))
card_markdown(registry.resolve(registry.names()[0]).card)
sys.exit("tensorflow" in sys.modules or "keras" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_rollback_goes_back_step_by_step(registry):
    for version in (2, 3):
        copy_version(registry, "tiny", version)
    for version in (1, 2, 3):
        registry.set_alias("tiny", "production", version)
    assert registry.rollback("tiny", "production", why="worse on voids").to_version == 2
    assert registry.rollback("tiny", "production").to_version == 1
    with pytest.raises(RegistryError, match="must have a move to take back"):
        registry.rollback("tiny", "production")
    registry.set_alias("tiny", "production", 3)
    assert registry.rollback("tiny", "production").to_version == 1
    assert [m.is_rollback for m in registry.alias_history("tiny")] == [
        *[False] * 3,
        *[True] * 2,
        False,
        True,
    ]


def test_rollback_to_a_version_that_is_gone_is_told(registry):
    copy_version(registry, "tiny", 2)
    registry.set_alias("tiny", "production", 1)
    registry.set_alias("tiny", "production", 2)
    subprocess.run(["rm", "-r", registry.root / "tiny" / "1"], check=True)
    with pytest.raises(RegistryError, match=r"has no version 1\. Known: 2"):
        registry.rollback("tiny", "production")
    assert registry.resolve("tiny@production").version == 2


def test_no_alias_comes_to_mean_a_damaged_version(registry):
    copy_version(registry, "tiny", 2)
    for version in (1, 2):
        registry.set_alias("tiny", "production", version)
    (registry.root / "tiny" / "1" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(RegistryError, match=r"saved_model\.pb was changed"):
        registry.rollback("tiny", "production")
    with pytest.raises(RegistryError, match=r"saved_model\.pb was changed"):
        registry.set_alias("tiny", "candidate", 1)
    assert registry.aliases("tiny") == {"production": 2}


def test_tags_are_kept_beside_the_version(registry):
    version = registry.resolve("tiny")
    registry.change_tags(version, give=["paper_2026", "keep", "keep"])
    assert registry.tags(version) == ("keep", "paper_2026")
    registry.set_alias("tiny", "production", 1)
    assert registry.tags(version) == ("keep", "paper_2026")
    with pytest.raises(RegistryError, match="A tag must begin"):
        registry.change_tags(version, give=["No Good"])
    registry.change_tags(version, take=["keep", "paper_2026", "none"])
    assert registry.tags(version) == ()
    verify_version(version)
