"""The methods paragraph of a paper, with its references, from what was done."""

from collections.abc import Iterable, Sequence

from defectkeras.quantification.results import Quantification
from defectkeras.reporting.results import ModelFacts, RunFacts
from defectkeras.reporting.views import methods_in_use

REFERENCES = {
    "garwood": "F. Garwood, Biometrika 28 (1936) 437, doi:10.1093/biomet/28.3-4.437",
    "miles_lantuejoul": "ISO 13322-1, Particle size analysis: Image analysis methods",
    "cut_corrected": "P. L. Goldsmith, Br. J. Appl. Phys. 18 (1967) 813",
    "thickness_plus_diameter": "J. E. Hilliard, Trans. AIME 224 (1962) 906",
    "intercepts": "R. K. Ham, Phil. Mag. 6 (1961) 1183",
    "unbiased": (
        "Z. Kulpa, Comput. Graph. Image Process. 6 (1977) 434, "
        "doi:10.1016/S0146-664X(77)80021-X"
    ),
    "projected_area": "E. E. Underwood, Quantitative Stereology (1970)",
}
"""Method to its source."""


def methods_paragraph(run: RunFacts, quantifications: Sequence[Quantification]) -> str:
    """Write what was done, ready to be edited for a paper.

    Args:
        run: What all micrographs share.
        quantifications: One or more.

    Returns:
        Sentences about the software, the model, the calibration and each method
        behind a value.
    """
    count = len(quantifications)
    many = "micrograph was" if count == 1 else "micrographs were"
    sentences = [f"{count} {many} measured with {_software(run)}."]
    if run.model is not None:
        sentences.append(_segmented_by(run.model))
    sentences += _calibration(quantifications)
    sentences += methods_in_use(quantifications).values()
    return " ".join(sentences)


def references(quantifications: Sequence[Quantification]) -> list[str]:
    """Give the sources of the methods behind all values that are shown."""
    return [REFERENCES[m] for m in methods_in_use(quantifications) if m in REFERENCES]


def _segmented_by(model: ModelFacts) -> str:
    digits = f"SHA-256 {model.sha256[:16]}" if model.sha256 else ""
    facts = ", ".join(fact for fact in (model.architecture, digits) if fact)
    tail = f" ({facts})" if facts else ""
    return f"Defects were segmented by the {model.what} {model.reference}{tail}."


def _software(run: RunFacts) -> str:
    return ", ".join(f"{name} {version}" for name, version in run.software.items())


def _calibration(quantifications: Sequence[Quantification]) -> list[str]:
    calibrations = [q.calibration for q in quantifications]
    sizes = _range(c.pixel_size_nm for c in calibrations)
    thicknesses = _range(c.foil_thickness_nm for c in calibrations)
    sources = ", ".join(dict.fromkeys(c.pixel_size_source for c in calibrations))
    return [
        f"The pixel size was {sizes} (from: {sources})."
        if sizes
        else "The pixel size was not known, so results are in pixels.",
        f"The foil thickness was {thicknesses}."
        if thicknesses
        else "The foil thickness was not known, so nothing is given per volume.",
    ]


def _range(values: Iterable[float | None]) -> str:
    """Give the smallest and the largest of the values that are known."""
    known = sorted({v for v in values if v is not None})
    if not known:
        return ""
    low, high = f"{known[0]:.4g}", f"{known[-1]:.4g}"
    return f"{low} nm" if low == high else f"{low} to {high} nm"
