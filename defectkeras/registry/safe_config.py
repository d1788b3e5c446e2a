"""Which classes a `.keras` file names, read without building one of them."""

import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from defectkeras.core.errors import RegistryError
from defectkeras.registry.manifest import EXTRA_FOLDER

KERAS_FILE = EXTRA_FOLDER / "model.keras"

_MODULES = re.compile(
    r"keras\.(layers|initializers|regularizers|constraints|activations|dtype_policies"
    r"|models|src\.models\.[a-z]+)"
)
_FROM_ROOT = ("DTypePolicy", "Model", "Sequential", "Functional")
_REFUSED = ("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")
_MOST_BYTES = 64 * 2**20

_FAULTS = (
    OSError,
    KeyError,
    ValueError,
    RuntimeError,  # encrypted, an unknown compression, or nested too deep
    zipfile.BadZipFile,
    zlib.error,
)


def find_foreign_classes(folder: Path) -> tuple[str, ...]:
    """Name the classes of a version's `.keras` file that are neither Keras' nor ours.

    Keras' safe mode is not enough: several ways around it have been found.

    Args:
        folder: A version's folder.

    Returns:
        One text each, such as "class os.system in model.keras"; Lambda layers and
        those that run a foreign model are named too. Empty for an ordinary model.

    Raises:
        RegistryError: When the file cannot be read.
    """
    config = _read_config(folder / KERAS_FILE)
    foreign = {_class_name(table) for table in _tables(config) if _is_foreign(table)}
    return tuple(f"class {name} in {KERAS_FILE.name}" for name in sorted(foreign))


def _read_config(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("config.json").file_size > _MOST_BYTES:
                raise RegistryError(f"{path}: its config.json is larger than 64 MiB.")
            return json.loads(archive.read("config.json"))
    except _FAULTS as error:
        raise RegistryError(f"{path} cannot be read: {error}.") from error


def _tables(value: Any) -> Iterator[dict[str, Any]]:
    """Give every table that names a class, at any depth."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _is_foreign(table: dict[str, Any]) -> bool:
    name, module = str(table["class_name"]), table.get("module")
    if name in _REFUSED:
        return True
    if module is None:  # a plain form of Keras' own, such as "__tuple__"
        is_known = name.startswith("__")
    elif module == "keras":
        is_known = name in _FROM_ROOT
    else:
        is_known = _MODULES.fullmatch(str(module)) is not None
    # A name that nobody registered lets Keras import the module, so both must be ours.
    is_ours = str(module).startswith("defectkeras.") and str(
        table.get("registered_name")
    ).startswith("defectkeras>")
    return not (is_known or is_ours)


def _class_name(table: dict[str, Any]) -> str:
    return ".".join(str(table[k]) for k in ("module", "class_name") if table.get(k))
