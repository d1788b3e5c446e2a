import dataclasses
import json
import math

import numpy as np
import pytest

from defectkeras.core.errors import DatasetError, RegistryError
from defectkeras.registry.card import CARD, card_from_dict, read_card, write_card


def test_round_trip_through_a_file(make_card, tmp_path):
    card = make_card(parent="tiny@1", thresholds={"void": 0.3})
    write_card(card, tmp_path)
    assert read_card(tmp_path) == card
    assert (tmp_path / CARD).read_text().startswith('{\n  "name": "tiny"')


def test_tuples_of_free_tables_are_kept_as_json_has_them(make_card):
    unknown = {"pixel_size_range_nm": None, "receptive_field_px": None}
    card = make_card(split={"train": ("a", "b")}, **unknown)
    assert card.split == {"train": ["a", "b"]}
    assert card_from_dict(json.loads(json.dumps(card.to_dict()))) == card


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "../x"}, "model name"),
        ({"schema": 2}, "`schema` must be 1"),
        ({"stride": 0}, "`stride`"),
        ({"receptive_field_px": 0}, "`receptive_field_px`"),
        ({"low_percent": 99.95}, "percentiles must rise"),
        ({"pixel_size_range_nm": (2.0, 1.0)}, "`pixel_size_range_nm`"),
        ({"pixel_size_range_nm": (1.0, math.inf)}, "`pixel_size_range_nm`"),
        ({"thresholds": {"viod": 0.5}}, "Did you mean 'void'"),
        ({"thresholds": {"matrix": 0.5}}, "Unknown class in `thresholds`"),
        ({"thresholds": {"void": 1.0}}, "within 0 to 1"),
        ({"metrics": {"iou": math.nan}}, "`metrics` must hold only"),
        ({"metrics": {"iou": np.float32(0.5)}}, "`metrics` must hold only"),
    ],
)
def test_bad_value_is_told(make_card, change, message):
    with pytest.raises(RegistryError, match=message):
        make_card(**change)


def test_slip_in_the_file_is_told_with_its_path(make_card, tmp_path):
    table = make_card().to_dict()
    table["licence"] = table.pop("license")
    (tmp_path / CARD).parent.mkdir(parents=True)
    (tmp_path / CARD).write_text(json.dumps(table))
    with pytest.raises(RegistryError, match=r"model_card.json.*mean 'license'"):
        read_card(tmp_path)


def test_missing_key_is_told(make_card):
    table = make_card().to_dict()
    del table["limits"]
    with pytest.raises(RegistryError, match="missing key 'limits'"):
        card_from_dict(table)


def test_bad_scheme_is_told(make_card):
    table = make_card().to_dict()
    table["scheme"]["classes"][1]["index"] = 7
    with pytest.raises(DatasetError, match="Class indices"):
        card_from_dict(table)


def test_thresholds_come_in_class_order(make_card):
    assert make_card().threshold_values() is None
    assert make_card(thresholds={"void": 0.3}).threshold_values() == (0.5, 0.3)


@pytest.mark.parametrize(
    ("split", "names"),
    [
        ({"train": ["a", "b"], "val": ["c"]}, {"a", "b"}),
        ({"folds": [["a"], ["b", "c"]], "test": ["d"]}, {"a", "b", "c"}),
        ({}, set()),
    ],
)
def test_what_it_has_learned_from(make_card, split, names):
    card = dataclasses.replace(make_card(), split=split)
    assert card.learned_from() == names
