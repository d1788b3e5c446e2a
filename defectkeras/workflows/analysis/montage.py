"""A montage analyzed into its folder without ever being in memory as a whole.

The rows are predicted tile by tile into files in a hidden folder, and these are
measured in bands. The tables are those of the whole.
"""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from defectkeras.core.arrays import Image
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.file_names import name_of_file
from defectkeras.core.files import sha256_of_path, whole_folder
from defectkeras.core.labels import LabelScheme
from defectkeras.micrographs.data_bar import data_bar_notes
from defectkeras.micrographs.levels import find_percentiles
from defectkeras.micrographs.montage import Montage, open_montage
from defectkeras.micrographs.normalize import (
    HIGH_PERCENT,
    LOW_PERCENT,
    normalize_levels,
)
from defectkeras.micrographs.write_rows import write_tiled_tiff
from defectkeras.prediction.domain import check_pixel_size
from defectkeras.quantification.error_parts import add_model_part
from defectkeras.quantification.places import measure_places
from defectkeras.quantification.results import Quantification
from defectkeras.quantification.row_maps import BAND_PX, RowMaps
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.quantification.streamed import quantify_rows, require_no_splitting
from defectkeras.reporting.preview import make_preview
from defectkeras.reporting.results import MicrographReport, RunFacts
from defectkeras.workflows.analysis.segmented_rows import (
    SegmentedRows,
    segment_into_files,
)
from defectkeras.workflows.analyze_settings import AnalyzeSettings
from defectkeras.workflows.measure import write_pictures, write_report
from defectkeras.workflows.segment import Segmenter
from defectkeras.workflows.trust.applicability import compare_montage

CLASS_MAP = "class_map.tif"
LARGEST_SPECK_PX = 4096
"""Specks of a montage can have no more pixels than this."""


def montage_into_folder(
    path: Path,
    segmenter: Segmenter,
    settings: AnalyzeSettings,
    run: RunFacts,
    folder: Path,
    *,
    replace: bool = False,
    band_px: int = BAND_PX,
) -> MicrographReport:
    """Segment and measure a montage, and write what `measure_into_folder` writes.

    The class map is a tiled TIFF, and the overlay is scaled down.

    Args:
        path: A TIFF file or a folder of OME-Zarr.
        segmenter: A loaded model version.
        settings: How.
        run: What all micrographs share.
        folder: For the results; its name is that of the micrograph.
        replace: Whether an older folder gives way.
        band_px: Pixels of the bands that are measured at a time.

    Returns:
        The micrograph's part of the page in the folder above.

    Raises:
        MicrographError: When the file cannot be read.
        DefectKerasError: When a setting needs the whole montage.
    """
    _require_streamable(settings)
    with (
        open_montage(
            path,
            pixel_size_nm=settings.pixel_size_nm,
            foil_thickness_nm=settings.foil_thickness_nm,
            frame=settings.frame,
        ) as montage,
        whole_folder(folder, replace=replace) as temporary,
    ):
        scratch = temporary / "scratch"
        scratch.mkdir()
        report = _find(path, montage, segmenter, settings, scratch, temporary, band_px)
        shutil.rmtree(scratch)
        report = dataclasses.replace(report, name=folder.name)
        return write_report(report, run, temporary, class_map=CLASS_MAP)


def _require_streamable(settings: AnalyzeSettings) -> None:
    """Check what would need the whole montage, before hours are spent on it."""
    require_no_splitting(settings.quantify)
    if settings.segment.rescale:
        raise DefectKerasError(
            "A montage cannot be resampled. Received: --rescale. Leave it out, or "
            "resample the file before."
        )
    if settings.segment.min_area_px > LARGEST_SPECK_PX:
        raise DefectKerasError(
            f"--min-area-px must be at most {LARGEST_SPECK_PX} for a montage. "
            f"Received: {settings.segment.min_area_px}."
        )


def _find(
    path: Path,
    montage: Montage,
    segmenter: Segmenter,
    settings: AnalyzeSettings,
    scratch: Path,
    temporary: Path,
    band_px: int,
) -> MicrographReport:
    """Segment and measure; write the class map and the pictures."""
    scheme, shape = segmenter.card.scheme, montage.shape
    calibration = settings.errors.of(montage.calibration)
    whole = RowMaps(shape, montage.read_rows, band_px=band_px)

    def all_rows() -> Iterator[Image]:
        """Read (H, W), some rows at a time."""
        return (montage.read_rows(b.first, b.stop) for b in whole.bands())

    low, high = find_percentiles(all_rows, [LOW_PERCENT, HIGH_PERCENT])

    def read_image(first: int, stop: int) -> Image:
        """Read some rows of (H, W), normalized as the whole."""
        return normalize_levels(montage.read_rows(first, stop), low, high)

    found = segment_into_files(segmenter, read_image, whole, settings.segment, scratch)
    quantification = _measure(
        found, montage, scheme, calibration, settings.quantify, band_px
    )
    write_tiled_tiff(
        temporary / CLASS_MAP,
        found.classes.read,
        shape,
        dtype=np.uint8,
        pixel_size_nm=calibration.pixel_size_nm,
    )
    places = measure_places(quantification, found.classes.mapped(), all_annotated=True)
    card = segmenter.card
    has_views = settings.segment.has_views_of(card)
    read_entropy = found.entropy.read if has_views else None
    known = compare_montage(card, shape, read_image, read_entropy)
    preview = make_preview(shape, read_image, found.classes.read)
    size_nm = calibration.pixel_size_nm
    shown = dataclasses.replace(
        calibration,
        pixel_size_nm=None if size_nm is None else size_nm * preview.factor,
    )
    warnings = [
        check_pixel_size(calibration, card.pixel_size_range_nm),
        known.warning if known else None,
        *data_bar_notes(montage.data_bar_px),
        *calibration.notes(),
    ]
    return MicrographReport(
        name=name_of_file(path),
        quantification=quantification,
        places=places,
        pictures=write_pictures(
            preview.image, preview.class_map, scheme, shown, temporary
        ),
        warnings=tuple(w for w in (*warnings, *places.notes) if w is not None),
        sha256=sha256_of_path(path),
        file=path.name,
        applicability=known.to_dict() if known else None,
    )


def _measure(
    found: SegmentedRows,
    montage: Montage,
    scheme: LabelScheme,
    calibration: Calibration,
    settings: QuantifySettings,
    band_px: int,
) -> Quantification:
    """Measure what was segmented."""
    maps = RowMaps(
        montage.shape,
        found.classes.read,
        montage.read_rows,
        found.probability.read,
        None if found.uncertainty is None else found.uncertainty.read,
        band_px,
    )
    quantification = quantify_rows(maps, scheme, calibration, settings=settings)
    if not found.others:
        return quantification
    others = [
        quantify_rows(
            RowMaps(montage.shape, other.read, band_px=band_px),
            scheme,
            calibration,
            settings=settings,
        )
        for other in found.others
    ]
    return add_model_part(quantification, others)
