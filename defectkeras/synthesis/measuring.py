"""The sums over true objects: lengths, numbers, sizes and volumes per volume."""

import numpy as np

from defectkeras.core.labels import DefectClass
from defectkeras.synthesis.contents import DISLOCATION, LOOP, PRECIPITATE, VOID
from defectkeras.synthesis.lines import segment_lengths
from defectkeras.synthesis.painting import Canvas
from defectkeras.synthesis.scene import Scene
from defectkeras.synthesis.truth import FoilTruth, LineTruth, RegionTruth

_PER_M2 = 1e18  # nm^-2
_PER_M3 = 1e27  # nm^-3


def measure_truth(canvas: Canvas, scene: Scene) -> FoilTruth:
    """Sum up what lies inside the foil under the field.

    Args:
        canvas: The painted pixels and objects.
        scene: The foil and its contents.

    Returns:
        The truth.
    """
    regions = {c.name: _region(canvas, c) for c in (PRECIPITATE, VOID, LOOP)}
    empty_percent = regions[VOID.name].volume_fraction_percent or 0.0
    return FoilTruth(
        shape=canvas.grid.shape,
        pixel_size_nm=canvas.grid.pixel_size_nm,
        foil_thickness_nm=float(canvas.foil.high_nm[2]),
        lines=_lines(canvas, scene),
        regions=regions,
        swelling_percent=100 * empty_percent / (100 - empty_percent),
        objects=tuple(canvas.objects),
    )


def _lines(canvas: Canvas, scene: Scene) -> LineTruth:
    lengths = np.array([segment_lengths(p, canvas.foil) for p in scene.lines])
    length_nm, projected_nm = lengths.reshape(-1, 2).sum(axis=0)
    return LineTruth(
        count=int(np.count_nonzero(lengths.reshape(-1, 2)[:, 0])),
        line_length_nm=float(length_nm),
        projected_length_nm=float(projected_nm),
        dislocation_density_per_m2=float(length_nm / canvas.foil.volume_nm3 * _PER_M2),
        area_fraction_percent=_area_percent(canvas, DISLOCATION),
    )


def _region(canvas: Canvas, defect_class: DefectClass) -> RegionTruth:
    objects = [o for o in canvas.objects if o.class_name == defect_class.name]
    counted = [o for o in objects if o.is_counted]
    volume_nm3 = sum(o.volume_nm3 or 0.0 for o in objects)
    percent = 100 * volume_nm3 / canvas.foil.volume_nm3
    return RegionTruth(
        count=len(counted),
        number_density_per_m3=len(counted) / canvas.foil.volume_nm3 * _PER_M3,
        mean_diameter_nm=_mean([o.diameter_nm for o in counted]),
        mean_volume_diameter_nm=_mean([o.volume_diameter_nm for o in counted]),
        volume_fraction_percent=None if defect_class == LOOP else percent,
        area_fraction_percent=_area_percent(canvas, defect_class),
    )


def _area_percent(canvas: Canvas, defect_class: DefectClass) -> float:
    return 100 * float(np.mean(canvas.class_map == defect_class.index))


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None
