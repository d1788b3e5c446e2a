"""Two-beam diffraction contrast: the background and the image of a dislocation.

The equations of Howie and Whelan in the column approximation, with anomalous
absorption. Depths are in units of the extinction distance.

References:
    A. Howie, M. J. Whelan: Diffraction contrast of electron microscope images
    of crystal lattice defects. II. The development of a dynamical theory.
    Proc. R. Soc. A 263 (1961) 217, doi:10.1098/rspa.1961.0157.
    P. J. Phillips et al.: Diffraction contrast STEM of dislocations: imaging
    and simulations. Ultramicroscopy 111 (2011) 1483.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from defectkeras.synthesis.imaging import Imaging

_NUM_OFFSETS = 80  # even, so that no column goes through the core
_NUM_DEPTHS = 49
_STEPS_PER_EXTINCTION = 32
_NUM_DEVIATIONS = 7
_REACH = 1.0  # of an image of a dislocation, in extinction distances
_CORE_DEPTH = 0.1  # likewise; depth at which a surface quenches a line
_IMAGE_WIDTH = 0.22  # likewise


def transmitted_amplitude(
    thickness: NDArray[np.float64], deviation: NDArray[np.float64], absorption: float
) -> NDArray[np.complex128]:
    """Give the amplitude of the direct beam behind a perfect crystal.

    phi_0 = exp(pi i w t - pi A t) (cos(pi q t) - i (w / q) sin(pi q t)) with
    q^2 = w^2 + (1 + i A)^2.

    Args:
        thickness: (H, W), or any shape: thickness in extinction distances.
        deviation: Likewise, deviation parameter w.
        absorption: A, the ratio of the extinction distance to its imaginary part.

    Returns:
        (H, W) amplitude for a unit incident beam.

    Example:
        >>> import numpy as np
        >>> half = transmitted_amplitude(np.array(0.5), np.array(0.0), 0.0)
        >>> float(np.round(abs(half), 12))  # the beam is diffracted altogether
        0.0
    """
    q = np.sqrt(deviation**2 + (1 + 1j * absorption) ** 2)
    phase = np.pi * thickness
    wave = np.cos(q * phase) - 1j * deviation / q * np.sin(q * phase)
    amplitude: NDArray[np.complex128] = wave * np.exp(
        (1j * deviation - absorption) * phase
    )
    return amplitude


def bright_field(
    thickness: NDArray[np.float64], deviation: NDArray[np.float64], imaging: Imaging
) -> NDArray[np.float64]:
    """Give the bright-field intensity of a perfect crystal.

    Args:
        thickness: (H, W), or any shape: thickness in extinction distances.
        deviation: Likewise, deviation parameter at the center of the probe.
        imaging: Gives absorption and the spread to average over.

    Returns:
        (H, W) intensity for a unit incident beam.
    """
    shifts = _deviations(0.0, imaging.deviation_spread)
    mean: NDArray[np.float64] = np.mean(
        [
            abs(transmitted_amplitude(thickness, deviation + w, imaging.absorption))
            ** 2
            for w in shifts
        ],
        axis=0,
    )
    return mean


def _deviations(center: float, spread: float) -> NDArray[np.float64]:
    """Give the deviation parameters that a probe averages over."""
    if spread == 0:
        return np.array([center])
    return np.linspace(center - spread, center + spread, _NUM_DEVIATIONS)


@dataclass(frozen=True, eq=False)
class LineContrast:
    """The contrast of a dislocation by distance from its line, and by depth.

    Attributes:
        table: (X, Z) relative change of intensity for X offsets from
            -reach to reach and Z depths from 0 to the foil thickness.
        reach_nm: Largest distance from the line with a contrast.
        foil_thickness_nm: Depth of the exit surface.
        width_nm: Visible width of the image, the width of the annotation.
    """

    table: NDArray[np.float32]
    reach_nm: float
    foil_thickness_nm: float
    width_nm: float

    def at(
        self, offset_nm: NDArray[np.float64], depth_nm: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Look up the contrast.

        Args:
            offset_nm: (H, W), or any shape: signed distance from the line.
            depth_nm: Likewise, depth of the nearest point of the line.

        Returns:
            (H, W) relative change of intensity, 0 beyond the reach.
        """
        last_x, last_z = np.subtract(self.table.shape, 1)
        x = (offset_nm / self.reach_nm + 1) / 2 * last_x
        z = depth_nm / self.foil_thickness_nm * last_z
        contrast: NDArray[np.float32] = ndimage.map_coordinates(
            self.table, [x, z], order=1, mode="nearest"
        )
        return contrast


def compute_line_contrast(imaging: Imaging, foil_thickness_nm: float) -> LineContrast:
    """Integrate the two-beam equations beside a screw dislocation with g.b = 1.

    The image of a dislocation lies a fraction of its width beside the core. The
    table is shifted so that the image, which is what people annotate, is centered
    on the line.

    Args:
        imaging: Extinction distance, deviation, its spread, absorption.
        foil_thickness_nm: Thickness along the beam in nm.

    Returns:
        The table of contrast.
    """
    thickness = foil_thickness_nm / imaging.extinction_distance_nm
    offsets = np.linspace(-_REACH, _REACH, _NUM_OFFSETS)
    depths = np.linspace(0, thickness, _NUM_DEPTHS)
    waves = _deviations(imaging.deviation, imaging.deviation_spread)
    intensity = _integrate(offsets, depths, waves, imaging.absorption)
    background = bright_field(np.array(thickness), np.array(imaging.deviation), imaging)
    contrast = (intensity / background - 1) * imaging.line_contrast
    contrast *= _surface_relaxation(offsets, depths)
    darkness = np.mean(np.maximum(-contrast, 0) ** 2, axis=1)
    shift = (offsets @ darkness) / darkness.sum() / (offsets[1] - offsets[0])
    centered = ndimage.shift(contrast, (-shift, 0), order=1, mode="nearest")
    taper = np.clip(2 - 2 * abs(offsets) / _REACH, 0, 1) ** 2
    return LineContrast(
        table=(centered * taper[:, None]).astype(np.float32),
        reach_nm=_REACH * imaging.extinction_distance_nm,
        foil_thickness_nm=foil_thickness_nm,
        width_nm=_IMAGE_WIDTH * imaging.extinction_distance_nm,
    )


def _surface_relaxation(
    offsets: NDArray[np.float64], depths: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the part (X, Z) of the contrast that free surfaces leave.

    The image dislocation beyond a surface at distance d cancels the strain at
    offsets x well above d; the form d^2 / (d^2 + x^2 / 4) stands for that.
    """
    distance = np.minimum(depths, depths[-1] - depths) + _CORE_DEPTH
    return np.asarray(distance**2 / (distance**2 + offsets[:, None] ** 2 / 4))


def _integrate(
    offsets: NDArray[np.float64],
    depths: NDArray[np.float64],
    waves: NDArray[np.float64],
    absorption: float,
) -> NDArray[np.float64]:
    """Give the mean intensity (X, Z) over the deviations (D,).

    Each slice diffracts like a perfect crystal; between the slices the diffracted
    beam takes the phase 2 pi g.R of the displacement g.R = arctan(z / x) / 2 pi.
    """
    thickness = float(depths[-1])
    steps = int(np.ceil(thickness * _STEPS_PER_EXTINCTION))
    direct, mixed, diffracted = _slice_matrix(thickness / steps, waves, absorption)
    shape = (len(waves), len(offsets), len(depths))
    beam0, beam1 = np.ones(shape, np.complex64), np.zeros(shape, np.complex64)
    for edge in np.linspace(0, thickness, steps + 1)[1:]:
        beam0, beam1 = (
            direct * beam0 + mixed * beam1,
            mixed * beam0 + diffracted * beam1,
        )
        low = np.arctan2(edge - thickness / steps - depths, offsets[:, None])
        high = np.arctan2(edge - depths, offsets[:, None])
        turn = np.remainder(high - low + np.pi, 2 * np.pi) - np.pi
        beam1 *= np.exp(1j * turn).astype(np.complex64)
    return np.asarray(np.mean(abs(beam0) ** 2, axis=0, dtype=np.float64))


def _slice_matrix(
    step: float, waves: NDArray[np.float64], absorption: float
) -> tuple[NDArray[np.complex64], ...]:
    """Give the scattering matrix of a slice: (0,0), (0,1) and (1,1), each (D,1,1)."""
    w = waves[:, None, None]
    q = np.sqrt(w**2 + (1 + 1j * absorption) ** 2)
    common = np.exp((1j * w - absorption) * np.pi * step)
    cosine, sine = np.cos(np.pi * q * step), 1j * np.sin(np.pi * q * step) / q
    entries = (cosine - w * sine, (1 + 1j * absorption) * sine, cosine + w * sine)
    return tuple((common * entry).astype(np.complex64) for entry in entries)
