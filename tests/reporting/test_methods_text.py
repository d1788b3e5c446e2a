import dataclasses

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.places import measure_places
from defectkeras.quantification.results import METHOD_TEXTS
from defectkeras.reporting.methods_text import (
    PLACES,
    PLACES_REFERENCES,
    REFERENCES,
    methods_paragraph,
    references,
)
from defectkeras.reporting.results import ModelFacts


def test_the_paragraph_says_what_was_done(measured, run_facts):
    other = measured(Calibration(0.75, 100.0, "user", "user"))
    text = methods_paragraph(run_facts, [measured(), other])

    for part in (
        "2 micrographs were measured with defectkeras 0.1.0, numpy 2.4.0.",
        "voids@3 (defectsegnet, SHA-256 0123456789abcdef)",
        "The pixel size was 0.5 to 0.75 nm (from: file tag 34682, user).",
        "The foil thickness was 100 nm (from: user).",
        METHOD_TEXTS["counted"],
        "Mean equivalent diameter; log-normal median; log-normal width σ",
        METHOD_TEXTS["cut_corrected"],
    ):
        assert part in text
    assert METHOD_TEXTS["naive"] not in text


def test_what_is_not_shown_in_px_is_not_told_either(measured, run_facts):
    text = methods_paragraph(run_facts, [measured()])
    of_seen = text.partition(METHOD_TEXTS["apparent"])[0].rpartition(".")[2]
    assert "largest Feret" in of_seen
    assert "equivalent diameter" not in of_seen.lower()  # in nm it is put right


def test_errors_that_were_told_are_named(measured, run_facts):
    known = Calibration(0.5, 90.0, "user", "user", foil_thickness_sigma_nm=9.0)
    text = methods_paragraph(run_facts, [measured(known)])
    assert "was 90 nm ± 9 nm (from: user)." in text
    assert "as squares, the standard deviation of the foil thickness." in text
    assert "hold none" not in text
    unsure = methods_paragraph(run_facts, [measured()])
    assert "as squares" not in unsure
    assert "No error of the foil thickness was told" in unsure
    in_area = methods_paragraph(run_facts, [measured(Calibration(0.5))])
    assert "No error" not in in_area


def test_what_is_not_known_is_said(measured, run_facts):
    run = dataclasses.replace(run_facts, model=None)
    text = methods_paragraph(run, [measured(Calibration())])

    assert "1 micrograph was" in text
    assert "not known, so results are in pixels" in text
    assert "model" not in text
    run = dataclasses.replace(run, model=ModelFacts(name="otsu, dark defects"))
    text = methods_paragraph(run, [measured(Calibration())])
    assert "segmented by the method otsu, dark defects." in text


def test_of_how_many_the_pixel_size_is_not_known(measured, run_facts):
    mixed = [measured(), measured(Calibration()), measured(Calibration())]
    text = methods_paragraph(run_facts, mixed)
    assert (
        "The pixel size was 0.5 nm (from: file tag 34682); of 2 it was not known, so "
        "there results are in pixels." in text
    )
    assert "of 2 it was not known, so there nothing is given per volume." in text
    assert "none" not in text.partition("Count")[0]


def test_what_was_done_to_the_class_maps_is_told(measured, run_facts):
    chosen = {"segment": {"augment": True, "rescale": True, "min_area_px": 7}}
    run = dataclasses.replace(run_facts, settings=chosen)
    text = methods_paragraph(run, [measured()])
    plain = methods_paragraph(run_facts, [measured()])
    for part in ("resampled", "averaged over", "Objects of fewer than 7 px were"):
        assert part in text
        assert part not in plain


def test_references_are_of_methods_in_use(measured):
    found = references([measured()])

    assert REFERENCES["garwood"] in found
    assert REFERENCES["thickness_plus_diameter"] not in found
    assert set(REFERENCES) <= set(METHOD_TEXTS)


def test_how_defects_lie_is_told_where_it_was_looked_at(
    measured, drawn_class_map, run_facts
):
    places = measure_places(measured(), drawn_class_map, simulations=9)
    statistics = set(places.statistics["statistic"])
    assert set(PLACES_REFERENCES) < set(PLACES)
    text = methods_paragraph(run_facts, [measured()], statistics)
    for name, sentence in PLACES.items():
        assert (sentence in text) == (name in statistics)
    assert "Donnelly" in " ".join(references([measured()], statistics))
    assert "Donnelly" not in " ".join(references([measured()]))


def test_several_fields_have_the_statistics_of_the_standards(measured, run_facts):
    one, two = [measured()], [measured(), measured()]
    for standard in ("ASTM E562", "ASTM E1245"):
        assert standard in methods_paragraph(run_facts, two)
        assert standard in " ".join(references(two))
        assert standard not in methods_paragraph(run_facts, one)
