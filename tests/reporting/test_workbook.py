"""Workbooks, read back by openpyxl."""

import math
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from defectkeras.reporting import workbook as workbook_module
from defectkeras.reporting.tables import write_csv_of_parquet, write_parquet
from defectkeras.reporting.workbook import write_workbook

DICTIONARY = pd.DataFrame({"table": ["objects.csv"], "column": ["area_nm2"]})
EVIL = ("=1+1", "+1", "-1", "@SUM(A1)", "http://evil", "mailto:a@b", "{=1}", "_x0041_")


def written(tables: dict[str, pd.DataFrame], folder: Path) -> Path:
    for name, table in tables.items():
        write_parquet(table, folder / f"{name}.parquet")
        write_csv_of_parquet(folder / f"{name}.parquet", folder / f"{name}.csv")
    files = [folder / f"{name}.parquet" for name in tables]
    write_workbook(files, DICTIONARY, folder / "tables.xlsx")
    return folder / "tables.xlsx"


def test_each_table_has_a_sheet_that_can_be_filtered(measured, tmp_path):
    found = measured()
    tables = {"objects": found.objects, "lines": found.lines}
    book = load_workbook(written(tables, tmp_path))
    assert book.sheetnames == ["objects", "lines", "data_dictionary"]
    sheet = book["objects"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == sheet.dimensions
    assert [cell.value for cell in sheet[1]] == list(found.objects.columns)
    assert all(cell.font.bold for cell in sheet[1])
    assert not any(cell.font.bold for cell in sheet[2])
    back = pd.DataFrame(list(sheet.values)[1:], columns=found.objects.columns)
    pd.testing.assert_frame_equal(back, found.objects, check_dtype=False)
    assert [c.value for c in book["data_dictionary"][2]] == ["objects.csv", "area_nm2"]


def test_a_cell_is_what_its_value_is(tmp_path):
    values = {
        "name": ["Glühprobe 5 µm", None],
        "label": pd.array([7654321, None], dtype="Int64"),
        "area_nm2": [12345.678901234, math.nan],
        "ratio": [math.inf, -math.inf],
        "touches_border": [True, False],
    }
    book = load_workbook(written({"objects": pd.DataFrame(values)}, tmp_path))
    _, first, second = book["objects"].values
    assert first == ("Glühprobe 5 µm", 7654321, 12345.678901234, "inf", True)
    assert second == (None, None, None, "-inf", False)


def test_text_is_never_a_formula_or_a_link(tmp_path):
    table = pd.DataFrame({"micrograph": EVIL, "=1+1": 1})
    path = written({"objects": table}, tmp_path)
    sheet = load_workbook(path)["objects"]
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == list(EVIL)
    assert {cell.data_type for cell in (*cells, sheet["B1"])} == {"s"}
    assert not any(cell.hyperlink for cell in cells)
    with zipfile.ZipFile(path) as archive:
        assert b"<f>" not in b"".join(map(archive.read, archive.namelist()))


@pytest.mark.parametrize("file", ["objects.csv", "objects.parquet"])
def test_a_long_table_says_where_it_is(file, tmp_path, monkeypatch):
    monkeypatch.setattr(workbook_module, "MAX_SHEET_ROWS", 3)
    tables = {
        n: pd.DataFrame({"label": range(r)}) for n, r in (("objects", 4), ("lines", 3))
    }
    path = written(tables, tmp_path)
    if file == "objects.parquet":  # of a table that is too long for CSV, too
        (tmp_path / "objects.csv").unlink()
        write_workbook([tmp_path / file], DICTIONARY, path)
    book = load_workbook(path)
    told = f"4 rows, more than 3: they are in {file}."
    assert list(book["objects"].values) == [(told,)]
    if file == "objects.csv":
        assert book["lines"].max_row == 4


def test_tables_of_nothing_are_sheets(tmp_path):
    tables = {"fits": pd.DataFrame(), "lines": pd.DataFrame({"length_nm": []})}
    book = load_workbook(written(tables, tmp_path))
    assert list(book["fits"].values) == []
    assert list(book["lines"].values) == [("length_nm",)]


def test_columns_are_as_wide_as_their_text_up_to_a_limit(tmp_path):
    table = pd.DataFrame({"a": ["x" * 30], "b": ["x" * 300], "c": [1 / 3], "d": ["x"]})
    sheet = load_workbook(written({"objects": table}, tmp_path))["objects"]
    widths = [round(sheet.column_dimensions[name].width) for name in "ABCD"]
    assert widths == [31, 51, 13, 9]  # Excel adds 5 px


def test_the_same_tables_are_the_same_bytes(measured, tmp_path, monkeypatch):
    tables = {"objects": measured().objects}
    first = written(tables, tmp_path).read_bytes()
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    assert written(tables, tmp_path).read_bytes() == first
    with zipfile.ZipFile(tmp_path / "tables.xlsx") as archive:
        assert b">1980-01-01T00:00:00Z<" in archive.read("docProps/core.xml")
