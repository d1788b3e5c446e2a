"""The methods paragraph of a paper, with its references, from what was done."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from defectkeras.core.calibration import Calibration
from defectkeras.quantification import class_distances, hard_core
from defectkeras.quantification.results import Quantification
from defectkeras.reporting.numbers import split_unit
from defectkeras.reporting.results import ModelFacts, RunFacts
from defectkeras.reporting.views import methods_in_use, shown_quantities

REFERENCES = {
    "garwood": "F. Garwood, Biometrika 28 (1936) 437, doi:10.1093/biomet/28.3-4.437",
    "miles_lantuejoul": "ISO 13322-1, Particle size analysis: Image analysis methods",
    "cut_corrected": "P. L. Goldsmith, Br. J. Appl. Phys. 18 (1967) 813",
    "thickness_plus_diameter": "J. E. Hilliard, Trans. AIME 224 (1962) 906",
    "traces": "L. D. Brown, T. T. Cai, A. DasGupta, Statistica Sinica 13 (2003) 19",
    "intercepts": "R. K. Ham, Phil. Mag. 6 (1961) 1183",
    "unbiased": (
        "Z. Kulpa, Comput. Graph. Image Process. 6 (1977) 434, "
        "doi:10.1016/S0146-664X(77)80021-X"
    ),
    "projected_area": "E. E. Underwood, Quantitative Stereology (1970)",
}
"""Method to its source."""

PLACES = {
    "clark_evans": (
        "Distances to the nearest neighbor are told over those of points at random, "
        "after Clark and Evans with Donnelly's correction for the border."
    ),
    "neighbor_distance_ratio": (
        "Mean distances to the nearest neighbor, and Ripley's L with the translation "
        "correction, are compared with those of the same objects put down at random "
        f"without overlap, {hard_core.SIMULATIONS} times."
    ),
    "touching_fraction": (
        "Distances to another class are compared with those of places at random, "
        f"{class_distances.SIMULATIONS} times."
    ),
    "alignment": (
        "Orientations of lines are axial and weighted by length; whether one is "
        "preferred is told by Rayleigh's test."
    ),
}
"""Statistic of how defects lie to how it was made."""

PLACES_REFERENCES = {
    "clark_evans": "K. P. Donnelly, in Simulation Studies in Archaeology (1978) 91",
    "neighbor_distance_ratio": (
        "J. Ohser, D. Stoyan, Biom. J. 23 (1981) 523, doi:10.1002/bimj.4710230602"
    ),
}
"""Statistic of how defects lie to its source."""

PARTS = {
    "thickness": "the standard deviation of the foil thickness",
    "pixel_size": "that of the pixel size",
    "model": "that of the values over the views or variants of the model",
}
"""Part of an error bar to what it is, chance left out."""

BETWEEN_FIELDS = (
    "Over n fields the mean m, the standard deviation s, the relative accuracy "
    "a = t_(n-1) s / (sqrt(n) m) and the number of further fields are given after ASTM "
    "E562 and ASTM E1245. The 95 % interval of the mean, m exp(-2 asinh(a / 2)) to "
    "m exp(2 asinh(a / 2)), takes the variance between fields in proportion to the "
    "mean; what is not known of thickness and pixel size, which all fields share, "
    "widens it. A field in which every object touches the border has a density of 0 in "
    "the mean."
)
STANDARDS = (
    "ASTM E562, Standard Test Method for Determining Volume Fraction by Systematic "
    "Manual Point Count",
    "ASTM E1245, Standard Practice for Determining the Inclusion or Second-Phase "
    "Constituent Content of Metals by Automatic Image Analysis",
)
"""Where the statistics over fields come from."""


def methods_paragraph(
    run: RunFacts,
    quantifications: Sequence[Quantification],
    statistics: Collection[str] = (),
) -> str:
    """Write what was done, ready to be edited for a paper.

    Args:
        run: What all micrographs share.
        quantifications: One or more.
        statistics: Names of the statistics of how the defects lie.

    Returns:
        Sentences about the software, the model, the calibration and each method
        behind a value.
    """
    count = len(quantifications)
    many = "micrograph was" if count == 1 else "micrographs were"
    sentences = [f"{count} {many} measured with {_software(run)}."]
    if run.model is not None:
        sentences.append(_segmented_by(run.model))
    sentences += _segmentation(run.settings)
    sentences += _calibration(quantifications)
    sentences += _methods(quantifications)
    sentences += [text for name, text in PLACES.items() if name in statistics]
    sentences += _errors(quantifications)
    if count > 1:
        sentences.append(BETWEEN_FIELDS)
    return " ".join(sentences)


def references(
    quantifications: Sequence[Quantification], statistics: Collection[str] = ()
) -> list[str]:
    """Give the sources of the methods behind all values that are shown."""
    methods = methods_in_use(quantifications)
    found = [REFERENCES[m] for m in methods if m in REFERENCES]
    found += [text for name, text in PLACES_REFERENCES.items() if name in statistics]
    return found + list(STANDARDS) if len(quantifications) > 1 else found


def _methods(quantifications: Sequence[Quantification]) -> Iterator[str]:
    """Say by which methods quantities were made, those by the same ones together."""
    used: dict[str, dict[str, None]] = {}
    for quantification in quantifications:
        for quantity in shown_quantities(quantification):
            label, _ = split_unit(quantity.name)
            for method in quantity.method.split("+"):
                used.setdefault(method, {})[label] = None
    told: dict[tuple[str, ...], list[str]] = {}
    for method, text in methods_in_use(quantifications).items():
        told.setdefault(tuple(used[method]), []).append(text)
    for (first, *others), texts in told.items():
        names = [first, *(other[0].lower() + other[1:] for other in others)]
        yield f"{'; '.join(names)}: {' '.join(texts)}"


def _errors(quantifications: Sequence[Quantification]) -> list[str]:
    """Say what the intervals hold besides chance, and what they do not."""
    parts = {p for q in quantifications for one in q.quantities for p in one.parts}
    held = [text for part, text in PARTS.items() if part in parts]
    told = [f"Intervals hold, as squares, {', '.join(held)}."] if held else []
    calibrations = [q.calibration for q in quantifications]
    if any(c.foil_thickness_nm and not c.foil_thickness_sigma_nm for c in calibrations):
        told.append(
            "No error of the foil thickness was told, so intervals of values per "
            "volume hold none."
        )
    return told


def _segmented_by(model: ModelFacts) -> str:
    digits = f"SHA-256 {model.sha256[:16]}" if model.sha256 else ""
    facts = ", ".join(fact for fact in (model.architecture, digits) if fact)
    tail = f" ({facts})" if facts else ""
    return f"Defects were segmented by the {model.what} {model.reference}{tail}."


def _segmentation(settings: Mapping[str, Any]) -> Iterator[str]:
    """Say what was done to micrographs and class maps, beside the segmenting."""
    segment = settings.get("segment")
    if not isinstance(segment, Mapping):
        return
    if segment.get("rescale"):
        yield (
            "Micrographs of a pixel size that the model has not learned from were "
            "resampled to the nearest one that it has."
        )
    if segment.get("augment"):
        yield "Probabilities were averaged over mirrored or turned views."
    if segment.get("min_area_px"):
        yield f"Objects of fewer than {segment['min_area_px']} px were left out."


def _software(run: RunFacts) -> str:
    return ", ".join(f"{name} {version}" for name, version in run.software.items())


def _calibration(quantifications: Sequence[Quantification]) -> Iterator[str]:
    calibrations = [q.calibration for q in quantifications]
    for name, without in (
        ("pixel_size", "results are in pixels"),
        ("foil_thickness", "nothing is given per volume"),
    ):
        known = [c for c in calibrations if getattr(c, f"{name}_nm") is not None]
        yield _told(name, known, len(calibrations) - len(known), without)


def _told(name: str, known: Sequence[Calibration], unknown: int, without: str) -> str:
    """Say how large something was, from where, and of how many it was not known."""
    what = name.replace("_", " ")
    if not known:
        return f"The {what} was not known, so {without}."
    values, sigmas, sources = (
        [getattr(c, f"{name}{end}") for c in known]
        for end in ("_nm", "_sigma_nm", "_source")
    )
    rest = f"; of {unknown} it was not known, so there {without}" if unknown else ""
    return (
        f"The {what} was {_range(values)}{_known_to(_range(sigmas))} "
        f"(from: {', '.join(dict.fromkeys(sources))}){rest}."
    )


def _known_to(sigmas: str) -> str:
    return f" ± {sigmas}" if sigmas else ""


def _range(values: Iterable[float | None]) -> str:
    """Give the smallest and the largest of the values that are known."""
    known = sorted({v for v in values if v is not None})
    if not known:
        return ""
    low, high = f"{known[0]:.6g}", f"{known[-1]:.6g}"
    return f"{low} nm" if low == high else f"{low} to {high} nm"
