import json
import math

import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.quantification.quantify import quantify
from defectkeras.quantification.results import METHOD_TEXTS, Quantity


def test_a_quantity_tells_its_method_in_words():
    quantity = Quantity("void", "count", 3.0, "1", 0.6, 8.8, "counted+garwood")
    assert quantity.method_text.startswith("Every object")
    assert "Garwood" in quantity.method_text


def test_dicts_hold_no_infinities():
    quantity = Quantity("void", "swelling_percent", 90.0, "%", 10.0, math.inf, "naive")
    entry = quantity.to_dict()
    assert entry["high"] is None
    json.dumps(entry, allow_nan=False)


def test_find_names_what_there_is(scheme, disc, shared_class_map):
    result = quantify(shared_class_map, scheme, Calibration(1.0, 100.0))
    assert result.find("void", "count").unit == "1"
    with pytest.raises(
        DefectKerasError, match=r"no quantity void\.counts.*void\.count"
    ):
        result.find("void", "counts")


def test_everything_goes_to_json(scheme, shared_class_map):
    result = quantify(shared_class_map, scheme, Calibration(1.0, 100.0, "user", "user"))
    text = json.dumps(result.to_dict(), allow_nan=False)
    back = json.loads(text)
    assert back["calibration"]["foil_thickness_source"] == "user"
    assert back["settings"]["edge_rule"] == "miles_lantuejoul"
    assert {q["class_name"] for q in back["quantities"]} == {
        "dislocation", "precipitate", "void", "loop",
    }  # fmt: skip


def test_every_method_in_use_has_a_text(scheme, shared_class_map):
    result = quantify(shared_class_map, scheme, Calibration(1.0, 100.0))
    names = {m for q in result.quantities for m in q.method.split("+")}
    assert names <= set(METHOD_TEXTS)
    assert all(text.endswith(".") for text in METHOD_TEXTS.values())
