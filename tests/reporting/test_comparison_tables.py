import json

import pytest

from defectkeras.reporting.comparison_tables import comparison_tables, to_json


def test_tables_and_json_hold_the_same(compared):
    found = compared(num_fields=2)
    tables, plain = comparison_tables(found), to_json(found)

    json.dumps(plain, allow_nan=False)
    for name, table in tables.items():
        assert len(plain[name]) == len(table) > 0
    assert plain["annotators"][2] == {
        "label": "net@1",
        "is_model": True,
        "source": "somewhere",
    }
    assert plain["counts"][1]["anna"] == tables["counts"]["anna"][1]


def test_limits_are_columns(compared):
    table = comparison_tables(compared(num_fields=2))["differences"]

    own = (table["class_name"] == "void") & (table["name"] == "area_fraction_percent")
    row = table[own].iloc[0]
    assert row["bias"] == pytest.approx(row["second_mean"] - row["first_mean"])
    assert row["lower_limit_low"] <= row["lower_limit"] <= row["lower_limit_high"]
    assert "too few fields: 2" in row["no_test_because"]
