"""Tables and numbers for other programs: CSV, Parquet and summary.json."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from defectkeras.core.files import whole_file, write_json, write_whole
from defectkeras.reporting.results import MicrographReport, ModelFacts, RunFacts

SUMMARY_SCHEMA = 1

MAX_CSV_ROWS = 2**20 - 1
"""So many rows does a sheet of Excel or LibreOffice hold below the names."""

_WHOLE = {pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype()}
"""Numbers that stay whole, with all digits, in a column that some rows lack."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV (UTF-8), whole or not at all.

    Column names carry the unit. A cell without a value is empty. A cell of text that
    a spreadsheet would take for a formula gets an apostrophe in front, so that a file
    name cannot run there.

    Args:
        table: One row per object or line, as `Quantification` has them.
        path: Of the CSV file.

    References:
        OWASP, CSV Injection,
        https://owasp.org/www-community/attacks/CSV_Injection
    """
    write_whole(path, _as_csv(table))


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows of a table for JSON: plain values, None where one is missing."""
    plain = table.astype(object).where(table.notna(), None)
    return [
        {str(k): v.item() if hasattr(v, "item") else v for k, v in row.items()}
        for row in plain.to_dict(orient="records")
    ]


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, whole or not at all; types and all digits are kept.

    Args:
        table: As for `write_table`.
        path: Ends on .parquet.
    """
    with whole_file(path) as temporary:
        table.to_parquet(temporary, engine="pyarrow", index=False)


def collect_parquet(tables: Mapping[str, Path], path: Path) -> list[str]:
    """Put the tables of many micrographs into one, one after the other.

    Only one of them is in memory at a time. A column that some lack, such as a size in
    nm, is empty there.

    Args:
        tables: Name of a micrograph to its Parquet file, in the order of the rows.
        path: Ends on .parquet; the first column is the name of the micrograph.

    Returns:
        The names of the columns.
    """
    schemas = [pq.read_schema(table).remove_metadata() for table in tables.values()]
    first = pa.schema([("micrograph", pa.string())])
    schema = pa.unify_schemas([first, *schemas], promote_options="permissive")
    with whole_file(path) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for name, table_path in tables.items():
            part = pq.read_table(table_path)
            known = {column: part[column] for column in part.column_names}
            known["micrograph"] = pa.array([name] * len(part), pa.string())
            empty = pa.nulls(len(part))
            columns = [known.get(f.name, empty).cast(f.type) for f in schema]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    return list(schema.names)


def write_csv_of_parquet(table: Path, path: Path) -> None:
    """Write a Parquet table as CSV, too, where a spreadsheet can hold it.

    Only a part of it is in memory at a time.

    Args:
        table: The Parquet file.
        path: Of the CSV file; of more than `MAX_CSV_ROWS` rows there is none, nor an
            older one.
    """
    source = pq.ParquetFile(table)
    if source.metadata.num_rows > MAX_CSV_ROWS:
        path.unlink(missing_ok=True)
        return
    head = source.schema_arrow.empty_table().to_pandas()
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(_as_csv(head))
        for part in source.iter_batches():
            rows = part.to_pandas(types_mapper=_WHOLE.get)
            file.write(_as_csv(rows, header=False))


def write_summary(path: Path, micrograph: MicrographReport, run: RunFacts) -> None:
    """Write everything about one micrograph that is not a table as JSON.

    Args:
        path: Of the file, usually summary.json.
        micrograph: What was measured.
        run: What made it.
    """
    write_json(path, summarize(micrograph, run))


def summarize(micrograph: MicrographReport, run: RunFacts) -> dict[str, Any]:
    """Give everything about one micrograph that is not a table.

    Args:
        micrograph: What was measured.
        run: What made it.

    Returns:
        Of dicts, lists, text, numbers and None: the quantities with units,
        intervals, methods and reasons; calibration and its source; model with
        SHA-256; settings; software; warnings; applicability; files.
    """
    quantification = micrograph.quantification
    height, width = quantification.shape
    return {
        "schema": SUMMARY_SCHEMA,
        "micrograph": micrograph.name,
        "file": micrograph.file,
        "sha256": micrograph.sha256,
        "height_px": height,
        "width_px": width,
        "calibration": dataclasses.asdict(quantification.calibration),
        "classes": [dataclasses.asdict(c) for c in quantification.scheme.classes],
        "quantities": [q.to_dict() for q in quantification.quantities],
        "warnings": list(micrograph.all_warnings),
        "applicability": micrograph.applicability,
        "files": dict(micrograph.files),
        "model": None if run.model is None else _model_summary(run.model),
        "settings": _plain(run.settings),
        "quantification_settings": _plain(quantification.settings.to_dict()),
        "software": dict(run.software),
        "command": run.command,
        "created": run.created,
    }


def _as_csv(table: pd.DataFrame, *, header: bool = True) -> str:
    """Give a table as text in which no cell is a formula."""
    safe = table.rename(columns=lambda name: _as_text(str(name)))
    for name in safe.columns:
        if not (
            pd.api.types.is_numeric_dtype(safe[name])
            or pd.api.types.is_bool_dtype(safe[name])
        ):
            safe[name] = [
                "" if pd.isna(value) else _as_text(str(value)) for value in safe[name]
            ]
    return str(
        safe.to_csv(
            index=False, header=header, float_format="%.6g", lineterminator="\n"
        )
    )


def _model_summary(model: ModelFacts) -> dict[str, Any]:
    return {"reference": model.reference, **_plain(dataclasses.asdict(model))}


def _plain(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Give a table with values that JSON has; anything else becomes text."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(mapping), default=str))
    return plain


def _as_text(text: str) -> str:
    """Mark text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
