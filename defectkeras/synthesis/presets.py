"""Presets: from which ranges the contents and the imaging conditions are drawn."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from numpy.random import Generator

from defectkeras.core.labels import LabelScheme
from defectkeras.synthesis.contents import DCI_STEM_SCHEME, SCHEME, Contents
from defectkeras.synthesis.imaging import WAVELENGTH_NM, Imaging

_SMALLEST_FRINGE_NM = 0.7  # a fringe of one pixel; 200 nm of defocus
_RIM_PX = 4.0  # the gap between regions, rounded
_SMALLEST_PX = 6.0  # smaller regions would not be sought at this magnification


@dataclass(frozen=True)
class Range:
    """Values to draw from.

    Attributes:
        low: Smallest.
        high: Largest.
        logarithmic: Draw the logarithm uniformly, not the value.
        flip: Chance of the opposite sign.
    """

    low: float
    high: float
    logarithmic: bool = False
    flip: float = 0.0

    def draw(self, rng: Generator) -> float:
        """Draw a value."""
        if self.logarithmic:
            value = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        else:
            value = rng.uniform(self.low, self.high)
        return -value if rng.uniform() < self.flip else value


@dataclass(frozen=True)
class Preset:
    """A kind of micrograph.

    Attributes:
        summary: One line for people.
        scheme: The classes that it may have.
        contents: Ranges by the names of `Contents`. Instead of a number per
            volume, "precipitate_coverage", "void_coverage" and "loop_coverage"
            give the part of the field that the objects take up, with the gaps
            that they keep.
        imaging: Ranges by the names of `Imaging`. "fringe_px" gives the defocus
            by the width of its first Fresnel fringe; negative is underfocus.
    """

    summary: str
    scheme: LabelScheme
    contents: Mapping[str, Range]
    imaging: Mapping[str, Range]

    def draw_contents(
        self, rng: Generator, *, pixel_size_nm: float, foil_thickness_nm: float
    ) -> Contents:
        """Draw the contents of a foil.

        Args:
            rng: Source of randomness.
            pixel_size_nm: Objects that would be too small to see are not drawn.
            foil_thickness_nm: Turns coverage into number per volume.
        """
        values = _draw_all(rng, self.contents)
        for kind in ("precipitate", "void", "loop"):
            coverage = values.pop(f"{kind}_coverage", 0.0)
            if coverage == 0:
                continue
            smallest_nm = _SMALLEST_PX * pixel_size_nm
            diameter_nm = max(values[f"{kind}_diameter_nm"], smallest_nm)
            log_sd = values[f"{kind}_log_sd"]
            rim_nm = _RIM_PX * pixel_size_nm
            square_nm2 = diameter_nm**2 * math.exp(log_sd**2)
            disc_nm2 = math.pi / 4 * (square_nm2 + 2 * rim_nm * diameter_nm + rim_nm**2)
            per_nm3 = coverage / disc_nm2 / (foil_thickness_nm + diameter_nm)
            values[f"{kind}_diameter_nm"] = diameter_nm
            values[f"{kind}s_per_m3"] = per_nm3 * 1e27
        return Contents(**values)

    def draw_imaging(self, rng: Generator, *, pixel_size_nm: float) -> Imaging:
        """Draw the imaging conditions.

        Args:
            rng: Source of randomness.
            pixel_size_nm: Turns the width of a fringe into a defocus.
        """
        values = _draw_all(rng, self.imaging)
        fringe_nm = values.pop("fringe_px") * max(pixel_size_nm, _SMALLEST_FRINGE_NM)
        values["defocus_nm"] = math.copysign(fringe_nm**2 / WAVELENGTH_NM, fringe_nm)
        return Imaging(**values)


def _draw_all(rng: Generator, ranges: Mapping[str, Range]) -> dict[str, float]:
    return {name: ranges[name].draw(rng) for name in sorted(ranges)}


_DISLOCATIONS = {
    "dislocation_density_per_m2": Range(2e13, 2.5e14, logarithmic=True),
    "dislocation_slope": Range(0.15, 0.45),
}
_PRECIPITATES = {
    "precipitate_coverage": Range(0.015, 0.16, logarithmic=True),
    "precipitate_diameter_nm": Range(10.0, 35.0, logarithmic=True),
    "precipitate_log_sd": Range(0.1, 0.3),
    "precipitate_elongation": Range(0.0, 0.1),
    "cuboid_fraction": Range(0.0, 0.12),
}
_VOIDS = {
    "void_coverage": Range(0.015, 0.16, logarithmic=True),
    "void_diameter_nm": Range(7.0, 26.0, logarithmic=True),
    "void_log_sd": Range(0.1, 0.3),
    "faceted_fraction": Range(0.0, 0.4),
}
_LOOPS = {
    "loop_coverage": Range(0.015, 0.1, logarithmic=True),
    "loop_diameter_nm": Range(12.0, 40.0, logarithmic=True),
    "loop_log_sd": Range(0.1, 0.3),
}
_STEM = {
    "extinction_distance_nm": Range(18.0, 30.0),
    "deviation": Range(0.3, 0.8),
    "deviation_spread": Range(1.0, 2.0),
    "absorption": Range(0.06, 0.12),
    "line_contrast": Range(0.6, 1.2),
    "precipitate_absorption_per_nm": Range(0.008, 0.03, True, flip=0.05),
    "void_absorption_per_nm": Range(0.01, 0.025, logarithmic=True),
    "void_phase_per_nm": Range(0.02, 0.08),
    "fringe_px": Range(0.8, 1.8, flip=0.7),
    "bend_contours": Range(0.0, 0.25),
    "bend_range": Range(1.0, 3.0),
    "thickness_gradient": Range(0.0, 0.25),
    "shading": Range(0.01, 0.06),
    "texture": Range(0.005, 0.03),
    "dose_per_px": Range(150.0, 4000.0, logarithmic=True),
    "blur_px": Range(0.4, 1.0),
    "detector_blur_px": Range(0.0, 0.3),
    "drift_px": Range(0.0, 0.5),
    "line_jitter_px": Range(0.05, 0.3),
    "row_gain": Range(0.0, 0.012),
}
_TEM = _STEM | {
    "extinction_distance_nm": Range(18.0, 32.0),
    "deviation": Range(0.1, 0.8),
    "deviation_spread": Range(0.03, 0.25),
    "line_contrast": Range(0.5, 0.9),
    "void_absorption_per_nm": Range(0.01, 0.02, logarithmic=True),
    "void_phase_per_nm": Range(0.05, 0.12),
    "fringe_px": Range(1.2, 2.4, flip=0.6),
    "bend_contours": Range(0.15, 0.45),
    "bend_range": Range(2.5, 7.0),
    "thickness_gradient": Range(0.0, 0.3),
    "shading": Range(0.02, 0.1),
    "texture": Range(0.01, 0.06),
    "dose_per_px": Range(120.0, 2500.0, logarithmic=True),
    "blur_px": Range(0.4, 1.2),
    "detector_blur_px": Range(0.3, 0.8),
    "drift_px": Range(0.0, 1.5),
    "line_jitter_px": Range(0.0, 0.0),
    "row_gain": Range(0.0, 0.0),
}

PRESETS: dict[str, Preset] = {
    "dci-stem": Preset(
        "Diffraction-contrast STEM: dislocations, precipitates and voids",
        DCI_STEM_SCHEME,
        _DISLOCATIONS | _PRECIPITATES | _VOIDS,
        _STEM,
    ),
    "bright-field-tem": Preset(
        "Bright-field TEM with bend contours: all four classes of defect",
        SCHEME,
        _DISLOCATIONS | _PRECIPITATES | _VOIDS | _LOOPS,
        _TEM,
    ),
    "dislocations": Preset(
        "Diffraction-contrast STEM of dislocations alone", SCHEME, _DISLOCATIONS, _STEM
    ),
    "precipitates": Preset(
        "Diffraction-contrast STEM of precipitates alone", SCHEME, _PRECIPITATES, _STEM
    ),
    "voids": Preset("Bright-field TEM of voids alone", SCHEME, _VOIDS, _TEM),
    "loops": Preset("Bright-field TEM of loops alone", SCHEME, _LOOPS, _TEM),
}
"""The kinds of micrograph that `synthesize` knows, by name."""
