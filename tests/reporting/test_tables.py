import csv
import json

import numpy as np
import pandas as pd
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.reporting import tables as tables_module
from defectkeras.reporting.tables import (
    collect_parquet,
    summarize,
    write_csv_of_parquet,
    write_parquet,
    write_summary,
    write_table,
)


def test_the_table_comes_back(measured, tmp_path):
    objects = measured().objects
    write_table(objects, tmp_path / "field" / "objects.csv")
    back = pd.read_csv(tmp_path / "field" / "objects.csv")
    assert list(back.columns) == list(objects.columns)
    np.testing.assert_allclose(back["area_nm2"], objects["area_nm2"], rtol=1e-5)
    np.testing.assert_array_equal(back["label"], objects["label"])
    np.testing.assert_array_equal(back["touches_border"], objects["touches_border"])


def test_an_empty_table_keeps_its_head(empty, tmp_path):
    write_table(empty.objects, tmp_path / "objects.csv")
    text = (tmp_path / "objects.csv").read_text()
    assert text.startswith("class_name,")
    assert text.count("\n") == 1


def test_what_has_no_value_is_empty(tmp_path):
    table = pd.DataFrame({"reason": [None, "none"], "high": [None, None]})
    write_table(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "reason,high\n,\nnone,\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_never_becomes_a_formula(start, tmp_path):
    evil = start + 'HYPERLINK("http://evil","x")'
    table = pd.DataFrame({"class_name": [evil, "void"], "offset_px": [-1.5, 2.0]})
    table[evil] = 1
    write_table(table, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][2] == f"'{evil}"
    assert rows[1][0] == f"'{evil}"
    assert rows[1][1] == "-1.5"  # a number stays one
    assert rows[2][0] == "void"


def test_the_summary_holds_everything_and_is_strict_json(reported, run_facts, tmp_path):
    report = reported(warnings=("Look out.",), files={"objects.csv": "f/objects.csv"})
    write_summary(tmp_path / "summary.json", report, run_facts)
    text = (tmp_path / "summary.json").read_text()
    summary = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert summary["model"]["reference"] == "voids@3"
    assert summary["model"]["sha256"] == run_facts.model.sha256
    assert summary["software"]["defectkeras"] == "0.1.0"
    assert summary["calibration"]["pixel_size_nm"] == 0.5
    assert summary["calibration"]["pixel_size_source"] == "file tag 34682"
    assert (summary["height_px"], summary["width_px"]) == (240, 400)
    assert "Look out." in summary["warnings"]
    assert summary["settings"]["segment"]["tile_size"] == 512
    assert summary["quantification_settings"]["edge_rule"] == "miles_lantuejoul"
    by_name = {(q["class_name"], q["name"]): q for q in summary["quantities"]}
    count = by_name["void", "count"]
    assert count["value"] == 24
    assert count["low"] < 24 < count["high"]
    assert all(q["unit"] for q in summary["quantities"])
    assert all((q["value"] is None) == bool(q["reason"]) for q in by_name.values())


def test_without_a_model_and_a_pixel_size_the_summary_says_so(reported, run_facts):
    run = type(run_facts)(created="now", software=run_facts.software)
    summary = summarize(reported(calibration=Calibration()), run)
    assert summary["model"] is None
    assert summary["calibration"]["pixel_size_nm"] is None
    missing = [q for q in summary["quantities"] if q["value"] is None]
    assert any("pixel size" in q["reason"] for q in missing)
    json.dumps(summary, allow_nan=False)


def test_parquet_keeps_types_and_all_digits(tmp_path, measured):
    objects = measured().objects
    write_parquet(objects, tmp_path / "objects.parquet")

    read = pd.read_parquet(tmp_path / "objects.parquet")
    pd.testing.assert_frame_equal(read, objects, check_dtype=False)
    assert read["touches_border"].dtype == bool
    write_parquet(pd.DataFrame(), tmp_path / "lines.parquet")
    assert pd.read_parquet(tmp_path / "lines.parquet").empty


def test_collected_tables_keep_the_order_and_fill_what_some_lack(tmp_path):
    tables = {
        "b": pd.DataFrame({"label": [1, 2], "area_px": [3, 4]}),
        "none": pd.DataFrame(),
        "empty": pd.DataFrame({"label": [], "area_nm2": []}, dtype=object),
        "a": pd.DataFrame({"label": [1], "area_px": [5.5], "area_nm2": [22.0]}),
    }
    paths = {name: tmp_path / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        write_parquet(table, paths[name])
    columns = collect_parquet(paths, tmp_path / "all.parquet")
    assert columns == ["micrograph", "label", "area_px", "area_nm2"]
    collected = pd.read_parquet(tmp_path / "all.parquet")
    expected = pd.DataFrame(
        {
            "micrograph": ["b", "b", "a"],
            "label": [1, 2, 1],
            "area_px": [3, 4, 5.5],
            "area_nm2": [None, None, 22.0],
        }
    )
    pd.testing.assert_frame_equal(collected, expected, check_dtype=False)


def test_what_is_collected_is_csv_too_where_a_spreadsheet_holds_it(
    tmp_path, monkeypatch
):
    table = pd.DataFrame(
        {
            "micrograph": ["a, b", "=c", "ä"],
            "label": [1, 2, 1234567],
            "touches_border": [True, False, True],
            "area_nm2": [3.5, None, 1 / 3],
        }
    )
    write_parquet(table, tmp_path / "objects.parquet")
    write_csv_of_parquet(tmp_path / "objects.parquet", tmp_path / "objects.csv")
    write_table(table, tmp_path / "whole.csv")
    whole = (tmp_path / "whole.csv").read_bytes()
    assert (tmp_path / "objects.csv").read_bytes() == whole
    assert "'=c,2,False,\nä,1234567,True,0.333333\n".encode() in whole

    monkeypatch.setattr(tables_module, "MAX_CSV_ROWS", 2)
    write_csv_of_parquet(tmp_path / "objects.parquet", tmp_path / "objects.csv")
    assert not (tmp_path / "objects.csv").exists()


def test_nothing_collected_is_an_empty_table(tmp_path):
    assert collect_parquet({}, tmp_path / "all.parquet") == ["micrograph"]
    assert pd.read_parquet(tmp_path / "all.parquet").empty
    write_csv_of_parquet(tmp_path / "all.parquet", tmp_path / "all.csv")
    assert (tmp_path / "all.csv").read_text() == "micrograph\n"


def test_whole_numbers_keep_their_digits_beside_missing_ones(tmp_path):
    parts = {
        "a": pd.DataFrame({"label": [1234567], "area_px": [98765432]}),
        "b": pd.DataFrame({"label": [7654321]}),
    }
    for name, part in parts.items():
        write_parquet(part, tmp_path / f"{name}.parquet")
    paths = {name: tmp_path / f"{name}.parquet" for name in parts}
    collect_parquet(paths, tmp_path / "all.parquet")
    write_csv_of_parquet(tmp_path / "all.parquet", tmp_path / "all.csv")
    assert (tmp_path / "all.csv").read_text() == (
        "micrograph,label,area_px\na,1234567,98765432\nb,7654321,\n"
    )
