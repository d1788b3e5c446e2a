"""How the microscope and its detector show a foil, as numbers."""

from dataclasses import dataclass

WAVELENGTH_NM = 0.002508
"""Of electrons at 200 kV."""


@dataclass(frozen=True)
class Imaging:
    """The imaging conditions of one micrograph.

    Attributes:
        extinction_distance_nm: Of the reflection in use; it sets the width of
            dislocation images and the period of their oscillation with depth.
        deviation: Deviation parameter w = s * extinction distance.
        deviation_spread: Half range of w that a convergent probe averages over;
            0 is a parallel beam. A large spread damps every oscillation.
        absorption: Ratio of the extinction distance to its imaginary part.
        line_contrast: Factor on the computed contrast of dislocations.
        precipitate_absorption_per_nm: Decrease of ln(intensity) for each nm of
            precipitate along the beam; negative is bright.
        void_absorption_per_nm: Increase of ln(intensity) for each nm of void.
        void_phase_per_nm: Phase advance for each nm of void, in radians; 200 kV
            and a mean inner potential of 20 V give 0.15.
        defocus_nm: Negative is underfocus (voids bright with a dark rim).
        bend_contours: Strength from 0 (none) to 1 (two-beam intensity).
        bend_range: Change of w over half the field, so the number of contours.
        thickness_gradient: Relative change of the thickness over the field, as
            the background shows it; the geometry keeps its mean thickness.
        shading: Relative rms of slow variation of the background.
        texture: Relative rms of fine mottling (surface films, preparation).
        dose_per_px: Mean number of electrons in a pixel.
        blur_px: Standard deviation of the optical blur.
        detector_blur_px: Blur behind the shot noise, which correlates it.
        drift_px: Movement during the exposure (a parallel beam) or slow
            movement about the mean between the rows (a scanned probe).
        line_jitter_px: Rms displacement of scan rows; 0 is no scan.
        row_gain: Relative rms change of intensity between scan rows.
    """

    extinction_distance_nm: float = 24.0
    deviation: float = 0.4
    deviation_spread: float = 0.0
    absorption: float = 0.1
    line_contrast: float = 0.8
    precipitate_absorption_per_nm: float = 0.02
    void_absorption_per_nm: float = 0.006
    void_phase_per_nm: float = 0.08
    defocus_nm: float = -600.0
    bend_contours: float = 0.0
    bend_range: float = 4.0
    thickness_gradient: float = 0.0
    shading: float = 0.0
    texture: float = 0.0
    dose_per_px: float = 1000.0
    blur_px: float = 0.5
    detector_blur_px: float = 0.0
    drift_px: float = 0.0
    line_jitter_px: float = 0.0
    row_gain: float = 0.0
