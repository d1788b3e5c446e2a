"""How micrographs are analyzed, whole or, where they are too large, in bands."""

import dataclasses
from dataclasses import dataclass

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.workflows.measure import CalibrationErrors
from defectkeras.workflows.segment import SegmentSettings


@dataclass(frozen=True)
class AnalyzeSettings:
    """How micrographs are analyzed.

    Attributes:
        segment: How they are segmented.
        pixel_size_nm: In place of the files' own, or None.
        foil_thickness_nm: In place of the files' own, or None.
        frame: Which frame of a stack, from 0, or None.
        errors: What is known of the errors of pixel size and thickness.
        quantify: How they are measured.

    Raises:
        CalibrationError: When a size is not a finite number above 0.
    """

    segment: SegmentSettings = dataclasses.field(default_factory=SegmentSettings)
    pixel_size_nm: float | None = None
    foil_thickness_nm: float | None = None
    frame: int | None = None
    errors: CalibrationErrors = dataclasses.field(default_factory=CalibrationErrors)
    quantify: QuantifySettings = dataclasses.field(default_factory=QuantifySettings)

    def __post_init__(self) -> None:
        """Check what would fail for each file alike."""
        Calibration(self.pixel_size_nm, self.foil_thickness_nm)
