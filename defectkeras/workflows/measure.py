"""A class map measured, and the files that show it."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import ClassMap, Image, LabelMap, ProbabilityMap
from defectkeras.core.calibration import Calibration
from defectkeras.core.files import whole_folder, write_json
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.core.revision import software_versions
from defectkeras.micrographs.annotations import write_class_map
from defectkeras.micrographs.data_bar import data_bar_notes
from defectkeras.prediction.applicability import Applicability
from defectkeras.quantification.error_parts import add_model_part
from defectkeras.quantification.places import Places, measure_places
from defectkeras.quantification.quantify import (
    Quantification,
    QuantifySettings,
    quantify,
)
from defectkeras.registry.store import ModelVersion
from defectkeras.reporting.dictionary import data_dictionary
from defectkeras.reporting.micrograph_figures import micrograph_figures
from defectkeras.reporting.overlay import draw_overlay, write_png
from defectkeras.reporting.pictures import Pictures, make_pictures
from defectkeras.reporting.quantity_table import quantity_table
from defectkeras.reporting.results import MicrographReport, ModelFacts, RunFacts
from defectkeras.reporting.tables import write_parquet, write_summary, write_table
from defectkeras.reporting.vector import write_vector

CLASS_MAP = "class_map.png"
DICTIONARY = "data_dictionary.csv"
FIGURES = "figures"
PICTURES = "pictures.json"
SUMMARY = "summary.json"
SOFTWARE = ("numpy", "opencv-python-headless", "scikit-image", "pandas")


@dataclass(frozen=True, eq=False)
class Segmented:
    """A class map and what it belongs to.

    Attributes:
        micrograph: Its calibration sets the units, its name that of the result.
        image: (H, W) in [0, 1], for the pictures.
        class_map: (H, W).
        scheme: The classes.
        label_map: (H, W) object numbers, where touching objects are told apart;
            None takes connected pixels.
        warnings: One sentence each.
        sha256: Of the micrograph's file.
        probability_map: (H, W, K) that the class map comes from, or None.
        uncertainty: (H, W) of the probabilities, or None.
        other_class_maps: (H, W) each, of the members of an ensemble or of other
            views; their spread goes into the error bars.
        applicability: How far the micrograph is from the training micrographs, or
            None when nothing is known of them.
    """

    micrograph: Micrograph
    image: Image
    class_map: ClassMap
    scheme: LabelScheme
    sha256: str
    label_map: LabelMap | None = None
    warnings: tuple[str, ...] = ()
    probability_map: ProbabilityMap | None = None
    uncertainty: Image | None = None
    other_class_maps: tuple[ClassMap, ...] = ()
    applicability: Applicability | None = None


@dataclass(frozen=True)
class CalibrationErrors:
    """What is known of the errors of a calibration.

    Attributes:
        pixel_size_sigma_nm: Standard deviation of the pixel size, or None.
        foil_thickness_sigma_nm: Standard deviation of the thickness, or None.
        foil_thickness_source: Where the thickness comes from, or None.
    """

    pixel_size_sigma_nm: float | None = None
    foil_thickness_sigma_nm: float | None = None
    foil_thickness_source: str | None = None

    def of(self, calibration: Calibration) -> Calibration:
        """Give a calibration with these errors."""
        known = {k: v for k, v in dataclasses.asdict(self).items() if v is not None}
        return dataclasses.replace(calibration, **known)


def measure(
    segmented: Segmented, settings: QuantifySettings | None = None
) -> Quantification:
    """Measure a class map with all that is known of it.

    Args:
        segmented: What is measured.
        settings: The methods; None takes the defaults.
    """
    calibration = segmented.micrograph.calibration
    pixels = segmented.micrograph.pixels
    quantification = quantify(
        segmented.class_map,
        segmented.scheme,
        calibration,
        label_map=segmented.label_map,
        image=pixels if pixels.any() else None,  # a blank one stands for none
        probability_map=segmented.probability_map,
        uncertainty=segmented.uncertainty,
        settings=settings,
    )
    if segmented.other_class_maps:
        others = [
            quantify(
                other,
                segmented.scheme,
                calibration,
                probability_map=segmented.probability_map,  # to split by, if at all
                settings=settings,
            )
            for other in segmented.other_class_maps
        ]
        quantification = add_model_part(quantification, others)
    return quantification


def measure_into_folder(
    segmented: Segmented,
    run: RunFacts,
    folder: Path,
    *,
    settings: QuantifySettings | None = None,
    replace: bool = False,
) -> MicrographReport:
    """Measure a class map and write tables and pictures, whole or not at all.

    Args:
        segmented: What is measured.
        run: What all micrographs share.
        folder: For class_map.png, overlay.png, the tables (CSV and Parquet),
            data_dictionary.csv, summary.json, figures/ (SVG and PDF), and
            pictures.json for the page.
        settings: The methods; None takes the defaults.
        replace: Whether an older folder gives way.

    Returns:
        The micrograph's part of the page in the folder above.
    """
    micrograph = segmented.micrograph
    calibration = micrograph.calibration
    quantification = measure(segmented, settings)
    places = measure_places(quantification, segmented.class_map)
    bar = data_bar_notes(micrograph.data_bar_px, micrograph.pixels)
    shown = (segmented.image, segmented.class_map, segmented.scheme)
    result = Result(
        name=micrograph.name,
        quantification=quantification,
        places=places,
        pictures=make_pictures(*shown, calibration=calibration),
        overlay=draw_overlay(*shown, calibration=calibration),
        sha256=segmented.sha256,
        warnings=(*segmented.warnings, *bar, *calibration.notes(), *places.notes),
        applicability=segmented.applicability,
    )
    with whole_folder(folder, replace=replace) as temporary:
        write_class_map(segmented.class_map, temporary / CLASS_MAP)
        return write_result(result, run, folder.name, temporary, class_map=CLASS_MAP)


@dataclass(frozen=True, eq=False)
class Result:
    """What is written of a micrograph beside its class map.

    Attributes:
        name: Of the micrograph.
        quantification: What was measured.
        places: How its defects lie.
        pictures: For the page.
        overlay: (h, w, 3) uint8.
        sha256: Of the micrograph's file.
        warnings: One sentence each.
        applicability: How far it is from those that the model has learned from.
    """

    name: str
    quantification: Quantification
    places: Places
    pictures: Pictures
    overlay: NDArray[np.uint8]
    sha256: str
    warnings: tuple[str, ...] = ()
    applicability: Applicability | None = None


def write_result(
    result: Result, run: RunFacts, name: str, temporary: Path, *, class_map: str
) -> MicrographReport:
    """Write tables, figures, pictures and the summary of a micrograph.

    Args:
        result: What was found.
        run: What all micrographs share.
        name: Of the folder, when it is whole.
        temporary: The folder.
        class_map: Name of the file of the class map in it.

    Returns:
        The micrograph's part of the page in the folder above.
    """
    quantification, places = result.quantification, result.places
    known = result.applicability
    tables = {
        "quantities.csv": quantity_table({result.name: quantification}),
        "objects.csv": quantification.objects,
        "lines.csv": quantification.lines,
        "segments.csv": quantification.segments,
        "traces.csv": quantification.traces,
        "sizes.csv": quantification.distributions,
        "places.csv": places.statistics,
        "pairs.csv": places.curves,
        "orientations.csv": places.orientations,
    }
    files = ["overlay.png", class_map, *tables, DICTIONARY, SUMMARY]
    files += [str(Path(table).with_suffix(".parquet")) for table in tables]
    figures = {
        f.name: write_vector(f.figure, temporary / FIGURES / f.name, f.label)
        for f in micrograph_figures(quantification, places)
    }
    files += [f"{FIGURES}/{f}.{kind}" for f in figures for kind in ("svg", "pdf")]
    report = MicrographReport(
        name=result.name,
        quantification=quantification,
        pictures=result.pictures,
        figures=figures,
        warnings=result.warnings,
        files={file: f"{name}/{file}" for file in files},
        sha256=result.sha256,
        places=places,
        applicability=known.to_dict() if known else None,
    )
    write_png(result.overlay, temporary / "overlay.png")
    for table_name, table in tables.items():
        write_table(table, temporary / table_name)
        write_parquet(table, (temporary / table_name).with_suffix(".parquet"))
    write_table(data_dictionary(tables), temporary / DICTIONARY)
    write_json(temporary / PICTURES, dataclasses.asdict(result.pictures))
    write_summary(temporary / SUMMARY, report, run)
    return report


def run_facts(
    *,
    model: ModelFacts | None,
    settings: Mapping[str, Any],
    command: str = "",
    engine: Sequence[str] = (),
) -> RunFacts:
    """Say what made a result: software, model and settings, at this moment.

    Args:
        model: What made the class maps, or None.
        settings: Everything that was set.
        command: What was typed.
        engine: Packages that ran a network.
    """
    return RunFacts(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        software=software_versions((*SOFTWARE, *engine)),
        model=model,
        settings=settings,
        command=command,
    )


def model_facts(version: ModelVersion) -> ModelFacts:
    """Give what results tell of a model version."""
    card = version.card
    return ModelFacts(
        name=version.name,
        version=version.version,
        sha256=version.sha256,
        architecture=card.architecture,
        description=card.description,
        license=card.license,
        attribution=card.attribution,
        dataset_name=card.dataset_name,
        intended_use=card.intended_use,
        limits=card.limits,
        pixel_size_range_nm=card.pixel_size_range_nm,
    )
