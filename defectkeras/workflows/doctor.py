"""What this computer has: versions, devices, precision, memory, readers."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from defectkeras.core.revision import source_version

PACKAGES = (
    "tensorflow",
    "keras",
    "numpy",
    "opencv-python-headless",
    "scikit-image",
    "pandas",
    "tensorboard",
    "tifffile",
    "mrcfile",
    "h5py",
    "dm4",
    "rosettasciio",
)


def examine(registry_root: Path) -> dict[str, Any]:
    """Describe the computer and the installation.

    Args:
        registry_root: Folder of the model registry.

    Returns:
        A table of versions, devices, the precision that training would choose
        and why, memory, readers by file suffix (None where the optional package
        is missing), and the registry.
    """
    from defectkeras.micrographs.read import READERS, readable_suffixes
    from defectkeras.training.precision import choose_precision

    precision = choose_precision("auto")
    return {
        "defectkeras": source_version(),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in PACKAGES},
        "devices": _devices(),
        "precision": {"policy": precision.policy, "reason": precision.reason},
        "cpu_count": os.cpu_count(),
        "memory": _memory(),
        "readers": {**dict.fromkeys(sorted(READERS)), **readable_suffixes()},
        "registry": _registry(registry_root),
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _devices() -> list[str]:
    import tensorflow as tf

    return [
        d.name.removeprefix("/physical_device:")
        for d in tf.config.list_physical_devices()
    ]


def _memory() -> dict[str, float]:
    """Give installed and available memory in GiB."""
    memory, gib = psutil.virtual_memory(), 1 << 30
    return {
        "total_gib": round(memory.total / gib, 1),
        "available_gib": round(memory.available / gib, 1),
    }


def _registry(root: Path) -> dict[str, Any]:
    from defectkeras.registry.store import ModelRegistry

    registry = ModelRegistry(root)
    return {
        "root": str(root),
        "models": list(registry.names()) if root.is_dir() else [],
        "writable": os.access(root if root.exists() else root.parent, os.W_OK),
    }
