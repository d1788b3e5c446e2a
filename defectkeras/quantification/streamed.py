"""Quantify a micrograph that does not fit into memory: the same tables, in bands."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.appearance import MARGIN_PX, sum_appearance
from defectkeras.quantification.edges import whole_field
from defectkeras.quantification.field import Known, describe_region
from defectkeras.quantification.quantify import conclude
from defectkeras.quantification.region_class import RegionClass
from defectkeras.quantification.results import Quantification
from defectkeras.quantification.row_maps import Band, RowMaps
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.quantification.streamed_lines import measure_streamed_lines
from defectkeras.quantification.sweep import BandRuns, runs_of_band, sweep


def quantify_rows(
    maps: RowMaps,
    scheme: LabelScheme,
    calibration: Calibration,
    *,
    settings: QuantifySettings | None = None,
) -> Quantification:
    """Measure a micrograph that is read in bands, all of it annotated.

    The tables are those that `quantify` gives of the whole maps. Memory grows with
    the width of the micrograph and the number of its objects, not with its height.

    Args:
        maps: Classes, and what else is known of each pixel.
        scheme: The classes.
        calibration: Pixel size and foil thickness.
        settings: The methods; touching objects are not split.

    Raises:
        DefectKerasError: When touching objects should be split.
    """
    chosen = settings or QuantifySettings()
    require_no_splitting(chosen)
    known = Known(scheme, calibration, chosen)
    regions = [
        _measure_region(maps, c, known) for c in scheme.defects if c.kind == "region"
    ]
    lines = [
        measure_streamed_lines(maps, c, known)
        for c in scheme.defects
        if c.kind == "line"
    ]
    return conclude(regions, lines, known, maps.shape)


def require_no_splitting(settings: QuantifySettings) -> None:
    """Check that touching objects need not be split.

    Args:
        settings: The methods.

    Raises:
        DefectKerasError: When they should.
    """
    if settings.split != "none":
        raise DefectKerasError(
            "Touching objects of a montage cannot be split. Received: split="
            f"{settings.split}. Leave out --split, or cut the montage into fields."
        )


def _measure_region(
    maps: RowMaps, defect_class: DefectClass, known: Known
) -> RegionClass:
    """Measure a region class, see `Field.measure_region`."""
    height, width = maps.shape
    tables = [
        describe_region(
            swept.runs,
            swept.sums,
            defect_class,
            calibration=known.calibration,
            settings=known.settings,
            field=whole_field(maps.shape),
        )
        for swept in sweep(_bands(maps, defect_class.index), maps.shape)
    ]
    objects = pd.concat([t for t in tables if len(t)] or tables[:1], ignore_index=True)
    objects = objects.sort_values("label", kind="stable", ignore_index=True)
    objects["label"] = np.arange(1, len(objects) + 1)
    return RegionClass(
        defect_class=defect_class,
        objects=objects,
        class_px=int(objects["area_px"].sum()),
        field_px=height * width,
        calibration=known.calibration,
        settings=known.settings,
    )


def _bands(maps: RowMaps, index: int) -> Iterator[BandRuns]:
    """Read the runs of a class, and what is summed over each."""
    for band in maps.bands(MARGIN_PX):
        classes = maps.classes(band.first_known, band.stop_known)
        labels = (classes == index).astype(np.int32)
        runs = runs_of_band(labels[band.inner] > 0, band)
        sums = sum_appearance(
            labels,
            runs,
            **_known_rows(maps, band),
            background=classes == 0,
            first_row=band.first_known,
        )
        yield BandRuns(band, runs, sums)


def _known_rows(maps: RowMaps, band: Band) -> dict[str, np.ndarray]:
    """Read the maps of a band that there are."""
    given = {
        "image": maps.image,
        "probability": maps.probability,
        "uncertainty": maps.uncertainty,
    }
    return {
        name: read(band.first_known, band.stop_known)
        for name, read in given.items()
        if read is not None
    }
