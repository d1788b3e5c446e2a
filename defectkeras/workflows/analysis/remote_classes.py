"""Whole micrographs segmented by a server that sends back classes alone.

Tiles and probabilities are 4 bytes a pixel out and 4 for each class back; so it is
one or two out, as the file has them, and one back, for what nobody will ask then:
the confidence of objects, views, and how unlike the training a micrograph looks.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import ClassMap, Image
from defectkeras.core.errors import ServingError
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.prediction.domain import check_pixel_size
from defectkeras.prediction.postprocess import remove_small_objects
from defectkeras.prediction.tiling import round_up
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.workflows.segment import SERVING, SegmentSettings, tiling_for


@dataclass(frozen=True)
class RemoteClasses:
    """A model version on a server, asked for classes.

    Attributes:
        version: The same number in the registry here, for its card.
        url: Of the server.
        takes_integers: Whether it has signatures for 8 and 16 bits; those published
            before these came have not, and get float32.
    """

    version: ModelVersion
    url: str
    takes_integers: bool

    @property
    def scheme(self) -> LabelScheme:
        """The classes that it tells apart."""
        return self.version.card.scheme

    @property
    def sha256(self) -> str:
        """The SHA-256 of the version."""
        return self.version.sha256


def require_one_view(settings: SegmentSettings) -> None:
    """Check that a server that gives classes alone can do what is wanted.

    Raises:
        ServingError: When it cannot.
    """
    needs_more = {
        "no server": settings.runtime != SERVING or settings.url is None,
        "--augment": settings.augment,
        "--spread": settings.spread != "none",
        "--rescale": settings.rescale,
    }
    received = [name for name, is_so in needs_more.items() if is_so]
    if settings.classes_only and received:
        raise ServingError(
            "Classes alone come from a server, of the micrograph as it is, seen once. "
            f"Received: {', '.join(received)}. Give --runtime serving, --url and "
            "--no-augment, or leave out --classes-only."
        )


def load_remote_classes(
    reference: str, registry_root: Path | None, settings: SegmentSettings
) -> RemoteClasses:
    """Find a version and the server that is to segment with it.

    Args:
        reference: "name", "name@3" or "name@alias".
        registry_root: Folder of the registry; None takes the default.
        settings: With `classes_only`.

    Raises:
        RegistryError: When there is no such version.
        ServingError: When more than classes is wanted.
    """
    require_one_view(settings)
    version = ModelRegistry(registry_root).resolve(reference)
    from defectkeras.serving.packages import require_packages

    require_packages()
    from defectkeras.registry.saved_model.export import UINT16_SIGNATURE
    from defectkeras.serving.servable import read_definitions

    takes_integers = UINT16_SIGNATURE in read_definitions(version)
    return RemoteClasses(version, str(settings.url), takes_integers)


def segment_remotely(
    model: RemoteClasses, micrograph: Micrograph, settings: SegmentSettings
) -> tuple[ClassMap, tuple[str, ...]]:
    """Let the server segment a whole micrograph, with its mirror image around it.

    Classes are those of tiles but for a few pixels on their outlines: the server
    takes the percentiles of grey levels over the mirror image, too.

    Args:
        model: The version and its server.
        micrograph: (H, W) raw grey levels.
        settings: How.

    Returns:
        (H, W) without the specks, and warnings.

    Raises:
        ServingError: When there is no answer.
    """
    from defectkeras.serving.client import connect, remote_class_map
    from defectkeras.serving.target import Target

    version = model.version
    token = os.environ.get("DEFECTKERAS_TOKEN")
    client = connect(Target(model.url, version.name, version.version, token))
    margin = round_up(tiling_for(version.card, settings).halo, version.card.stride)
    pixels = np.pad(micrograph.pixels, margin, mode="symmetric")
    found = remote_class_map(
        client, as_integers(pixels) if model.takes_integers else pixels
    )
    height, width = micrograph.shape
    class_map = found[margin : margin + height, margin : margin + width]
    warning = check_pixel_size(micrograph.calibration, version.card.pixel_size_range_nm)
    return (
        remove_small_objects(class_map, settings.min_area_px),
        (warning,) if warning else (),
    )


def as_integers(pixels: Image) -> NDArray[Any]:
    """Give grey levels as the smallest integers that hold them, or as they are.

    Args:
        pixels: (H, W) raw grey levels.

    Example:
        >>> as_integers(np.array([[0, 255, 7]], np.float32)).dtype
        dtype('uint8')
        >>> as_integers(np.array([[0, 256, 7]], np.float32)).dtype
        dtype('uint16')
        >>> as_integers(np.array([[0, 0.5, 7]], np.float32)).dtype
        dtype('float32')
    """
    if pixels.min() < 0 or pixels.max() > 65535 or (pixels % 1).any():
        return pixels
    return pixels.astype(np.uint8 if pixels.max() <= 255 else np.uint16)
