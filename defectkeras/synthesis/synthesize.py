"""A synthetic micrograph: pixels, annotation and three-dimensional truth."""

from dataclasses import asdict, dataclass

import numpy as np

from defectkeras.core.arrays import ClassMap, Image, LabelMap
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DatasetError
from defectkeras.core.micrograph import Micrograph
from defectkeras.core.names import require_known
from defectkeras.synthesis.background import draw_background
from defectkeras.synthesis.contents import Contents
from defectkeras.synthesis.detector import record
from defectkeras.synthesis.drawing import Grid
from defectkeras.synthesis.fresnel import void_intensity
from defectkeras.synthesis.imaging import Imaging
from defectkeras.synthesis.measuring import measure_truth
from defectkeras.synthesis.painting import Canvas, paint
from defectkeras.synthesis.presets import PRESETS
from defectkeras.synthesis.scene import draw_scene
from defectkeras.synthesis.truth import FoilTruth
from defectkeras.synthesis.two_beam import compute_line_contrast


@dataclass(frozen=True, eq=False)
class SyntheticMicrograph:
    """A micrograph of which everything is known.

    Attributes:
        micrograph: Grey levels, whole numbers from 0 to 65535 as float32.
        class_map: (H, W) class indices of `SCHEME`.
        label_map: (H, W) object numbers; `truth.objects` tells what they are.
        truth: What is in the foil, in three dimensions.
    """

    micrograph: Micrograph
    class_map: ClassMap
    label_map: LabelMap
    truth: FoilTruth


def synthesize(
    preset: str = "dci-stem",
    *,
    shape: tuple[int, int] = (512, 640),
    pixel_size_nm: float = 1.0,
    foil_thickness_nm: float = 100.0,
    seed: int,
    name: str | None = None,
    contents: Contents | None = None,
    imaging: Imaging | None = None,
) -> SyntheticMicrograph:
    """Make a micrograph of a foil with known contents.

    Args:
        preset: A name of `PRESETS`; contents and imaging are drawn from its ranges.
        shape: (H, W) in pixels, each at least 32.
        pixel_size_nm: Side of a pixel in nm; 0.3 to 2 is sensible.
        foil_thickness_nm: Thickness along the beam in nm.
        seed: 0 or more. The same seed gives the same bytes.
        name: Of the micrograph; default "<preset>-<seed>".
        contents: Expected contents, instead of those that the preset draws.
        imaging: Imaging conditions, instead of those that the preset draws.

    Returns:
        Micrograph, class map (H, W), label map (H, W) and truth.

    Raises:
        CalibrationError: When pixel size or foil thickness is not above 0.
        DatasetError: When the preset is unknown, or the objects have no room.
        ValueError: When shape or seed is not as it must be.

    Example:
        >>> synthetic = synthesize("voids", shape=(64, 96), seed=7)
        >>> synthetic.micrograph.shape, synthetic.micrograph.name
        ((64, 96), 'voids-7')
    """
    require_known(preset, PRESETS, what="preset", error=DatasetError)
    calibration = Calibration(
        pixel_size_nm, foil_thickness_nm, "synthetic", "synthetic"
    )
    _require_shape_and_seed(shape, seed)
    grid, recipe = Grid((shape[0], shape[1]), pixel_size_nm), PRESETS[preset]
    rng = [np.random.default_rng([seed, part]) for part in (0, 1, 4, 5, 6)]
    contents = contents or recipe.draw_contents(
        rng[0], pixel_size_nm=pixel_size_nm, foil_thickness_nm=foil_thickness_nm
    )
    imaging = imaging or recipe.draw_imaging(rng[1], pixel_size_nm=pixel_size_nm)
    contrast = compute_line_contrast(imaging, foil_thickness_nm)
    scene = draw_scene(
        seed,
        contents,
        grid,
        foil_thickness_nm=foil_thickness_nm,
        rim_nm=contrast.reach_nm,
    )
    canvas = paint(rng[2], scene, grid, contrast)
    background = draw_background(rng[3], grid.shape, imaging, foil_thickness_nm)
    pixels = record(rng[4], background * transmission(canvas, imaging), imaging)
    micrograph = Micrograph(
        pixels,
        calibration,
        name or f"{preset}-{seed}",
        {
            "preset": preset,
            "seed": seed,
            "contents": asdict(contents),
            "imaging": asdict(imaging),
        },
    )
    truth = measure_truth(canvas, scene)
    return SyntheticMicrograph(micrograph, canvas.class_map, canvas.label_map, truth)


def transmission(canvas: Canvas, imaging: Imaging) -> Image:
    """Give the intensity (H, W) behind the painted objects on a foil of intensity 1."""
    absorbed = np.exp(
        np.clip(-imaging.precipitate_absorption_per_nm * canvas.precipitate_nm, -2, 1)
    )
    voids = void_intensity(canvas.void_nm, imaging, canvas.grid.pixel_size_nm)
    return np.asarray(canvas.lines * canvas.loops * absorbed * voids, np.float32)


def _require_shape_and_seed(shape: tuple[int, int], seed: int) -> None:
    if min(shape) < 32:
        raise ValueError(
            f"`shape` must be (H, W), each at least 32. Received: shape={shape}."
        )
    if seed < 0:
        raise ValueError(f"`seed` must be 0 or more. Received: seed={seed}.")
