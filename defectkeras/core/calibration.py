"""Calibration: what a pixel measures, and how thick the foil is.

No physics is guessed: without a pixel size there are no nanometres, without a
foil thickness there is no volume.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

from defectkeras.core.errors import CalibrationError

_LENGTHS = (
    "pixel_size_nm",
    "foil_thickness_nm",
    "pixel_size_sigma_nm",
    "foil_thickness_sigma_nm",
)


@dataclass(frozen=True)
class Calibration:
    """Pixel size and foil thickness of a micrograph, and where they came from.

    Attributes:
        pixel_size_nm: Side of the square pixel in nm, or None when unknown.
        foil_thickness_nm: Thickness along the beam in nm, or None when unknown.
        pixel_size_source: "file tag 34682", "user", "data spec" or "none".
        foil_thickness_source: Likewise.
        pixel_size_sigma_nm: Standard deviation of the pixel size, or None when
            unknown; it widens the intervals.
        foil_thickness_sigma_nm: Likewise.

    Raises:
        CalibrationError: When a value is not a finite number above 0, or is not
            above its standard deviation.
    """

    pixel_size_nm: float | None = None
    foil_thickness_nm: float | None = None
    pixel_size_source: str = "none"
    foil_thickness_source: str = "none"
    pixel_size_sigma_nm: float | None = None
    foil_thickness_sigma_nm: float | None = None

    def __post_init__(self) -> None:
        """Check both values."""
        for name in _LENGTHS:
            value = getattr(self, name)
            if value is not None and not _is_length(value):
                raise CalibrationError(
                    f"`{name}` must be a finite number above 0. "
                    f"Received: {name}={value}."
                )
        for name in ("pixel_size", "foil_thickness"):
            value_nm = getattr(self, f"{name}_nm")
            sigma_nm = getattr(self, f"{name}_sigma_nm")
            if value_nm is not None and sigma_nm is not None and sigma_nm >= value_nm:
                raise CalibrationError(
                    f"`{name}_sigma_nm` must be below `{name}_nm`. Received: "
                    f"{value_nm:g} ± {sigma_nm:g} nm. Give the standard deviation."
                )

    def notes(self) -> tuple[str, ...]:
        """Say which error is told without the value that it is of.

        Example:
            >>> Calibration(foil_thickness_sigma_nm=5.0).notes()
            ('The error of the foil thickness has no effect, for the foil thickness \
is not known.',)
        """
        return tuple(
            f"The error of the {what} has no effect, for the {what} is not known."
            for what, value, sigma in (
                ("pixel size", self.pixel_size_nm, self.pixel_size_sigma_nm),
                (
                    "foil thickness",
                    self.foil_thickness_nm,
                    self.foil_thickness_sigma_nm,
                ),
            )
            if value is None and sigma is not None
        )

    def with_told(
        self,
        pixel_size_nm: float | None,
        foil_thickness_nm: float | None,
        *,
        source: str = "user",
    ) -> "Calibration":
        """Give the calibration with what somebody says in place of its own.

        Args:
            pixel_size_nm: Pixel size in nm; None leaves the own one, with its error.
            foil_thickness_nm: Foil thickness in nm; likewise.
            source: Who says so.

        Raises:
            CalibrationError: When a value is not a finite number above 0.

        Example:
            >>> told = Calibration(2.0, 80.0, "file", "file").with_told(0.5, None)
            >>> told.pixel_size_nm, told.pixel_size_source, told.foil_thickness_source
            (0.5, 'user', 'file')
        """
        told = {"pixel_size": pixel_size_nm, "foil_thickness": foil_thickness_nm}
        changes: dict[str, Any] = {}
        for name, value_nm in told.items():
            if value_nm is not None:
                changes[f"{name}_nm"] = float(value_nm)
                changes[f"{name}_source"] = source
                changes[f"{name}_sigma_nm"] = None
        return replace(self, **changes)

    def require_pixel_size_nm(self) -> float:
        """Give the pixel size in nm.

        Raises:
            CalibrationError: When it is not known.
        """
        if self.pixel_size_nm is None:
            raise CalibrationError(
                "The pixel size must be known for a result in nanometres, and the "
                "file has none. Give it with --pixel-size-nm."
            )
        return self.pixel_size_nm

    def require_foil_thickness_nm(self) -> float:
        """Give the foil thickness in nm.

        Raises:
            CalibrationError: When it is not known.
        """
        if self.foil_thickness_nm is None:
            raise CalibrationError(
                "The foil thickness must be known for a result per volume. "
                "Give it with --foil-thickness-nm, or use the areal values."
            )
        return self.foil_thickness_nm

    def field_of_view_nm(self, shape: tuple[int, int]) -> tuple[float, float]:
        """Give height and width of a field in nm.

        Args:
            shape: (H, W) in pixels.

        Returns:
            (height, width) in nm.

        Raises:
            CalibrationError: When the pixel size is not known.

        Example:
            >>> Calibration(pixel_size_nm=0.5).field_of_view_nm((10, 20))
            (5.0, 10.0)
        """
        size_nm = self.require_pixel_size_nm()
        return shape[0] * size_nm, shape[1] * size_nm


def _is_length(value: float) -> bool:
    try:
        return math.isfinite(value) and value > 0
    except OverflowError:  # an integer that no float can hold
        return False
