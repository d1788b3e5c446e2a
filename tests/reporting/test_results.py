from defectkeras.reporting.results import ModelFacts


def test_a_model_has_the_reference_of_its_version(run_facts):
    assert run_facts.model.reference == "voids@3"
    assert run_facts.model.what == "model"


def test_a_method_without_a_network_has_a_name_only():
    method = ModelFacts(name="otsu, dark defects")
    assert method.reference == "otsu, dark defects"
    assert method.what == "method"


def test_warnings_of_both_sides_are_told(reported, measured):
    report = reported(warnings=("The pixel size is unusual.",))
    assert report.all_warnings[0] == "The pixel size is unusual."
    assert report.all_warnings[1:] == measured().warnings
