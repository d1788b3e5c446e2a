"""The micrograph: pixels, what they measure, and where they came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from defectkeras.core.arrays import Image, require_image
from defectkeras.core.calibration import Calibration


@dataclass(frozen=True, eq=False)
class Micrograph:
    """A micrograph as read from a file.

    Attributes:
        pixels: (H, W) float32 raw grey levels, finite.
        calibration: Pixel size, foil thickness and their sources.
        name: The file name without its suffix.
        metadata: What the file tells about the instrument.
        data_bar_px: Rows of the file below these pixels that are no micrograph.
    """

    pixels: Image
    calibration: Calibration
    name: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    data_bar_px: int = 0

    def __post_init__(self) -> None:
        """Check the pixels."""
        object.__setattr__(self, "pixels", require_image(self.pixels, name="pixels"))

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        height, width = self.pixels.shape
        return height, width

    @property
    def file_shape(self) -> tuple[int, int]:
        """(H, W) of the image in the file, with its data bar."""
        height, width = self.pixels.shape
        return height + self.data_bar_px, width
