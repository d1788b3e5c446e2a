"""The files of a version for other engines, and where they lie.

saved_models/<name>/conversions/<version>-<form>/
    model.onnx, model.xml and model.bin, or model.tflite
    conversion.json     from what it was made, by what, and how far it is off

They lie beside the versions, which never change; TensorFlow Serving passes them by.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from defectkeras.core.errors import RegistryError
from defectkeras.core.files import sha256_of_file, write_json
from defectkeras.registry.manifest import read_json
from defectkeras.registry.version import ModelVersion

CONVERSIONS = "conversions"
RECORD = "conversion.json"
_TOLD = {"files", "form", "source_sha256"}
"""What every record tells."""


def conversion_folder(version: ModelVersion, form: str) -> Path:
    """Give the folder that a conversion of a version has, or would have."""
    return version.path.parent / CONVERSIONS / f"{version.version}-{form}"


def find_conversion(version: ModelVersion, form: str) -> Path:
    """Give the folder of a conversion that is there and sound.

    Raises:
        RegistryError: When it is not there, was made of other files, or is damaged.
    """
    folder = conversion_folder(version, form)
    command = f"defectkeras registry convert {version.reference} --to {form}"
    if not folder.is_dir():
        raise RegistryError(
            f"{version.reference} has no {form} file yet. Run {command}."
        )
    record = _read_record(folder / RECORD)
    found = {p: _sha256_or_none(folder / p) for p in record["files"]}
    if record["source_sha256"] != version.sha256 or found != record["files"]:
        raise RegistryError(
            f"{folder} must be as it was made of {version.reference}, and is not. "
            f"Run {command} --overwrite."
        )
    return folder


def conversions_of(version: ModelVersion) -> dict[str, Any]:
    """Give form to record of each conversion of a version that is there."""
    folder = version.path.parent / CONVERSIONS
    records = [
        _read_record(path)
        for path in sorted(folder.glob(f"{version.version}-*/{RECORD}"))
    ]
    return {record["form"]: record for record in records}


def note_parity(folder: Path, parity: Mapping[str, Any]) -> None:
    """Add to a conversion's record how far it is off on real micrographs."""
    write_json(
        folder / RECORD, {**_read_record(folder / RECORD), "parity": dict(parity)}
    )


def _read_record(path: Path) -> dict[str, Any]:
    record = read_json(path)
    if not (isinstance(record, dict) and set(record) >= _TOLD):
        raise RegistryError(
            f"{path} must tell of a conversion {', '.join(sorted(_TOLD))}. Received: "
            f"another record. Take {path.parent} away, and convert again."
        )
    return record


def _sha256_or_none(path: Path) -> str | None:
    return sha256_of_file(path) if path.is_file() else None
