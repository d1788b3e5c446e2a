"""What a run depends on beside its data: seeds, versions, devices."""

import os
import platform
from typing import Any

import keras
import tensorflow as tf

from defectkeras.core.revision import software_versions

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless")


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow; call it before the model is built.

    The data order needs no global seed: it depends on its own arguments only.

    Args:
        seed: From 0.
    """
    keras.utils.set_random_seed(seed)


def make_deterministic() -> None:
    """Let every operation give the same bits each time; call it before the first.

    What has no such kernel on a GPU is refused before training, see `kernels.py`.
    """
    tf.config.experimental.enable_op_determinism()


def describe_environment() -> dict[str, Any]:
    """Give versions and devices, for a run's folder and a model card.

    Returns:
        Text, numbers and lists; nothing that names a person or a folder.

    Example:
        >>> sorted(describe_environment())
        ['cpu_count', 'devices', 'packages', 'platform', 'python']
    """
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu_count": os.cpu_count(),
        "devices": [_device(d) for d in tf.config.list_physical_devices()],
        "packages": software_versions(PACKAGES),
    }


def _device(device: Any) -> str:
    details = tf.config.experimental.get_device_details(device)
    name = details.get("device_name", "")
    return f"{device.device_type} {name}".strip()
