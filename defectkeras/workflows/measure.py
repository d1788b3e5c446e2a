"""A class map measured, and the files that show it."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from defectkeras.core.arrays import ClassMap, Image, LabelMap, ProbabilityMap
from defectkeras.core.calibration import Calibration
from defectkeras.core.files import whole_folder, write_json
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.core.revision import software_versions
from defectkeras.micrographs.annotations import write_class_map
from defectkeras.micrographs.data_bar import data_bar_notes
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.prediction.applicability import Applicability
from defectkeras.quantification.error_parts import add_model_part
from defectkeras.quantification.places import measure_places
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
OVERLAY = "overlay.png"
PICTURES = "pictures.json"
SUMMARY = "summary.json"
SOFTWARE = ("numpy", "opencv-python-headless", "scikit-image", "pandas")


@dataclass(frozen=True, eq=False)
class Segmented:
    """A class map and what it belongs to.

    Attributes:
        micrograph: Its calibration sets the units, its name that of the result.
        class_map: (H, W).
        scheme: The classes.
        label_map: (H, W) object numbers, where touching objects are told apart;
            None takes connected pixels.
        warnings: One sentence each.
        sha256: Of the micrograph's file.
        file: Its name, with suffix and without folder.
        probability_map: (H, W, K) that the class map comes from, or None.
        uncertainty: (H, W) of the probabilities, or None.
        other_class_maps: (H, W) each, of the members of an ensemble or of other
            views; their spread goes into the error bars.
        applicability: How far the micrograph is from the training micrographs, or
            None when nothing is known of them.
    """

    micrograph: Micrograph
    class_map: ClassMap
    scheme: LabelScheme
    sha256: str
    file: str
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
    micrograph, known = segmented.micrograph, segmented.applicability
    calibration = micrograph.calibration
    quantification = measure(segmented, settings)
    places = measure_places(quantification, segmented.class_map)
    bar = data_bar_notes(micrograph.data_bar_px, micrograph.pixels)
    with whole_folder(folder, replace=replace) as temporary:
        write_class_map(segmented.class_map, temporary / CLASS_MAP)
        report = MicrographReport(
            name=micrograph.name,
            quantification=quantification,
            places=places,
            pictures=write_pictures(
                normalize_percentile(micrograph.pixels),
                segmented.class_map,
                segmented.scheme,
                calibration,
                temporary,
            ),
            warnings=(*segmented.warnings, *bar, *calibration.notes(), *places.notes),
            sha256=segmented.sha256,
            file=segmented.file,
            applicability=known.to_dict() if known else None,
        )
        return write_report(report, run, temporary, class_map=CLASS_MAP)


def write_pictures(
    image: Image,
    class_map: ClassMap,
    scheme: LabelScheme,
    calibration: Calibration,
    folder: Path,
) -> Pictures:
    """Write the overlay, and the pictures of the page.

    Args:
        image: (H, W) in [0, 1].
        class_map: (H, W).
        scheme: The classes.
        calibration: Of the image, for the scale bar.
        folder: Of the files.
    """
    shown = (image, class_map, scheme)
    pictures = make_pictures(*shown, calibration=calibration)
    write_png(draw_overlay(*shown, calibration=calibration), folder / OVERLAY)
    write_json(folder / PICTURES, dataclasses.asdict(pictures))
    return pictures


def write_report(
    report: MicrographReport, run: RunFacts, folder: Path, *, class_map: str
) -> MicrographReport:
    """Write tables, figures and the summary of a micrograph.

    Args:
        report: What was found; without figures and files.
        run: What all micrographs share.
        folder: That is to be named after the micrograph, with the class map and what
            `write_pictures` wrote.
        class_map: Name of the file of the class map in it.

    Returns:
        The same with figures and files.
    """
    quantification, places = report.quantification, report.places
    tables = {
        "quantities.csv": quantity_table({report.name: quantification}),
        "objects.csv": quantification.objects,
        "lines.csv": quantification.lines,
        "segments.csv": quantification.segments,
        "traces.csv": quantification.traces,
        "sizes.csv": quantification.distributions,
        "places.csv": places.statistics,
        "pairs.csv": places.curves,
        "orientations.csv": places.orientations,
    }
    files = [OVERLAY, class_map, *tables, DICTIONARY, SUMMARY]
    files += [str(Path(table).with_suffix(".parquet")) for table in tables]
    figures = {
        f.name: write_vector(f.figure, folder / FIGURES / f.name, f.label)
        for f in micrograph_figures(quantification, places)
    }
    files += [f"{FIGURES}/{f}.{kind}" for f in figures for kind in ("svg", "pdf")]
    report = dataclasses.replace(
        report, figures=figures, files={f: f"{report.name}/{f}" for f in files}
    )
    for name, table in tables.items():
        write_table(table, folder / name)
        write_parquet(table, (folder / name).with_suffix(".parquet"))
    write_table(data_dictionary(tables), folder / DICTIONARY)
    write_summary(folder / SUMMARY, report, run)
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
