"""Where the files for other engines lie, and whether they are still what they were."""

import json

import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.core.files import sha256_of_file
from defectkeras.registry.engines.conversions import (
    RECORD,
    conversion_folder,
    conversions_of,
    find_conversion,
    note_parity,
)
from defectkeras.registry.verify import verify_version


@pytest.fixture
def version(registry):
    """A version with a conversion of one made-up file."""
    version = registry.resolve("tiny")
    folder = conversion_folder(version, "onnx")
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_text("content")
    record = {
        "form": "onnx",
        "source_sha256": version.sha256,
        "files": {"model.onnx": sha256_of_file(folder / "model.onnx")},
    }
    (folder / RECORD).write_text(json.dumps(record))
    return version


def test_conversion_is_found_and_is_no_version(version, registry):
    assert find_conversion(version, "onnx") == conversion_folder(version, "onnx")
    assert list(conversions_of(version)) == ["onnx"]
    assert registry.versions("tiny") == (1,)
    verify_version(version)


def test_missing_conversion_names_the_command(version):
    with pytest.raises(RegistryError, match="registry convert tiny@1 --to litert"):
        find_conversion(version, "litert")


@pytest.mark.parametrize("harm", ["change", "remove", "other source"])
def test_damage_is_told(version, harm):
    folder = conversion_folder(version, "onnx")
    if harm == "change":
        (folder / "model.onnx").write_text("Content")
    elif harm == "remove":
        (folder / "model.onnx").unlink()
    else:
        record = json.loads((folder / RECORD).read_text())
        record["source_sha256"] = "0" * 64
        (folder / RECORD).write_text(json.dumps(record))
    with pytest.raises(RegistryError, match="--overwrite"):
        find_conversion(version, "onnx")


def test_parity_is_added_to_the_record(version):
    note_parity(find_conversion(version, "onnx"), {"onnxruntime": {"off": 1e-6}})
    record = conversions_of(version)["onnx"]
    assert record["parity"] == {"onnxruntime": {"off": 1e-6}}
    assert find_conversion(version, "onnx")


@pytest.mark.parametrize("record", ["{}", "[]", '{"form": "onnx"}'])
@pytest.mark.parametrize(
    "ask", [lambda v: find_conversion(v, "onnx"), conversions_of], ids=["find", "all"]
)
def test_another_record_is_told(version, record, ask):
    (conversion_folder(version, "onnx") / RECORD).write_text(record)
    with pytest.raises(RegistryError, match=r"conversion\.json must tell"):
        ask(version)
