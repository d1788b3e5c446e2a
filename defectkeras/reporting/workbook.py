"""Tables in one workbook for Excel and LibreOffice, a sheet for each."""

import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from defectkeras.core.files import write_whole

if TYPE_CHECKING:
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

MAX_SHEET_ROWS = 10_000
"""A sheet of so many rows takes some 3 s to write, and 100 MB of memory."""

_CREATED = datetime(1980, 1, 1, tzinfo=UTC)
"""Told by every workbook, so that the same tables are the same bytes."""

_NARROWEST, _WIDEST = 8, 50
_NUMBER_WIDTH = 12
_BUTTON_WIDTH = 3
"""Widths in characters; the button is that of the filter beside a name."""


def write_workbook(
    tables: Sequence[Path], dictionary: pd.DataFrame, path: Path
) -> None:
    """Write tables as one workbook, whole or not at all.

    Text is never taken for a formula or a link, and a cell without a value is empty.
    A table of more than `MAX_SHEET_ROWS` rows is not read: its sheet says in which
    file it is.

    Args:
        tables: Parquet files, which name the sheets, with their CSV files beside them.
        dictionary: As `data_dictionary` gives it; the last sheet.
        path: Ends on .xlsx.
    """
    from xlsxwriter import Workbook  # for those alone who write

    content = io.BytesIO()
    with Workbook(content, {"in_memory": True}) as workbook:
        workbook.set_properties({"created": _CREATED})
        for file in tables:
            sheet = workbook.add_worksheet(file.stem)
            if pq.read_metadata(file).num_rows > MAX_SHEET_ROWS:
                sheet.write_string(0, 0, _where(file))
            else:
                _fill(workbook, sheet, pq.read_table(file))
        sheet = workbook.add_worksheet("data_dictionary")
        _fill(workbook, sheet, pa.Table.from_pandas(dictionary, preserve_index=False))
    write_whole(path, content.getvalue())


def _where(file: Path) -> str:
    """Say in which file a table is that is too long for its sheet."""
    rows = pq.read_metadata(file).num_rows
    csv = file.with_suffix(".csv")
    name = csv.name if csv.exists() else file.name
    return f"{rows:,} rows, more than {MAX_SHEET_ROWS:,}: they are in {name}."


def _fill(workbook: "Workbook", sheet: "Worksheet", table: pa.Table) -> None:
    """Write a table to a sheet, with its names frozen in the first row."""
    bold = workbook.add_format({"bold": True})
    for number, (name, values) in enumerate(table.to_pydict().items()):
        sheet.write_string(0, number, name, bold)
        for row, value in enumerate(values, 1):
            _write_cell(sheet, row, number, value)
        sheet.set_column(number, number, _width(name, values))
    sheet.freeze_panes(1, 0)
    if table.column_names:
        sheet.autofilter(0, 0, table.num_rows, table.num_columns - 1)


def _write_cell(sheet: "Worksheet", row: int, column: int, value: Any) -> None:
    """Write a value as what it is; a cell of Excel has no infinity, so it is text."""
    if value is None or value != value:  # NaN alone is unlike itself
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float) and math.isfinite(value):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, str(value))


def _width(name: str, values: Sequence[Any]) -> int:
    """Give the width of a column in characters."""
    texts = [len(value) for value in values if isinstance(value, str)]
    wished = max(len(name) + _BUTTON_WIDTH, *texts, _NARROWEST)
    if len(texts) < len(values):
        wished = max(wished, _NUMBER_WIDTH)
    return min(wished, _WIDEST)
