"""The defocused image of voids: a Fresnel rim that changes sign with defocus.

A void lacks the mean inner potential of the crystal, so the wave behind it lags.
Free space over the defocus turns the phase into intensity. Underfocused voids are
bright with a dark rim, overfocused ones dark with a bright rim.

References:
    M. Ruehle, M. Wilkens: Defocusing contrast of cavities. Crystal Lattice
    Defects 6 (1975) 129.
"""

import numpy as np
from scipy import fft

from defectkeras.core.arrays import Image
from defectkeras.synthesis.imaging import WAVELENGTH_NM, Imaging

_PAD_PX = 16


def void_intensity(path_nm: Image, imaging: Imaging, pixel_size_nm: float) -> Image:
    """Propagate a wave behind voids over the defocus.

    psi_0 = exp(mu l / 2 - i sigma V l), psi = F^-1 exp(-pi i lambda df k^2) F psi_0.

    Args:
        path_nm: (H, W) length of the beam's path in voids.
        imaging: Phase and absorption per nm, and defocus.
        pixel_size_nm: Side of a pixel.

    Returns:
        (H, W) intensity, 1 far from voids.
    """
    if not path_nm.any():
        return np.ones_like(path_nm)
    height, width = path_nm.shape
    shape = [fft.next_fast_len(n + 2 * _PAD_PX) for n in (height, width)]
    extra = [
        (_PAD_PX, n - m - _PAD_PX) for n, m in zip(shape, path_nm.shape, strict=True)
    ]
    path = np.pad(path_nm, extra, mode="edge")
    rate = imaging.void_absorption_per_nm / 2 - 1j * imaging.void_phase_per_nm
    wave = np.exp(path * np.complex64(rate))
    row, column = (fft.fftfreq(n, pixel_size_nm).astype(np.float32) for n in shape)
    square = row[:, None] ** 2 + column[None, :] ** 2
    chirp = np.exp(
        -1j * np.pi * np.float32(WAVELENGTH_NM * imaging.defocus_nm) * square
    )
    damping = np.exp(-square * np.float32((1.2 * pixel_size_nm) ** 2))
    spectrum = fft.fft2(wave) * (chirp * damping).astype(np.complex64)
    image = abs(fft.ifft2(spectrum)) ** 2
    return np.asarray(
        image[_PAD_PX : _PAD_PX + height, _PAD_PX : _PAD_PX + width], dtype=np.float32
    )
