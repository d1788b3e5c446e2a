import json

import pytest

from defectkeras.core.errors import DefectKerasError
from defectkeras.core.strict import from_mapping
from defectkeras.quantification.settings import QuantifySettings


def test_defaults_are_the_least_biased_methods():
    settings = QuantifySettings()
    assert settings.edge_rule == "miles_lantuejoul"
    assert settings.number_density_method == "cut_corrected"
    assert settings.visible_fraction == 1.0


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("edge_rule", "dropped", "drop"),
        ("volume_method", "deless", "delesse"),
        ("visible_fraction", 0.0, "above 0"),
        ("visible_fraction", 1.2, "at most 1"),
        ("intercept_spacing_px", 0, "1 or more"),
    ],
)
def test_wrong_choices_are_told(name, value, text):
    with pytest.raises(DefectKerasError, match=text):
        QuantifySettings(**{name: value})


def test_settings_come_from_a_table_and_go_to_json():
    settings = from_mapping(
        QuantifySettings, {"edge_rule": "all", "visible_fraction": 0.5}, where="x.toml"
    )
    back = json.loads(json.dumps(settings.to_dict()))
    assert from_mapping(QuantifySettings, back, where="x.json") == settings
