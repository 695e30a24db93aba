"""Tables as an ELT tool lands them: schemas filled from CSV files, with the types that the values have."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.connection import Warehouse

_TYPES = {
    "bigint": r"-?\d{1,18}",
    "numeric": r"-?\d+(\.\d+)?(e-?\d+)?",
    "boolean": r"true|false",
    "timestamp": r"\d{4}-\d\d-\d\d([ T]\d\d?:\d\d(:\d\d(\.\d+)?)?)?",
    "timestamptz": r"\d{4}-\d\d-\d\d[ T]\d\d?:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)",
}


def land(warehouse: Warehouse, schema: str, files: Mapping[str, str]) -> None:
    """Make a schema with a table of each text of comma-separated values, by name."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(f'create schema if not exists "{schema}"')
        for table, text in files.items():
            header, *rows = csv.reader(io.StringIO(text.strip() + "\n"))
            land_rows(cursor, f'"{schema}"."{table}"', header, rows)


def land_rows(cursor: Cursor, relation: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Make a table of rows of text; an empty value is none."""
    columns = [f'"{name.strip(chr(34))}" {_type([row[place] for row in rows])}' for place, name in enumerate(header)]
    cursor.execute(f"create table {relation} ({', '.join(columns)})")
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    text.seek(0)
    cursor.copy_expert(f"copy {relation} from stdin (format csv)", text)


def seeds_of(vendor: str, folder: Path) -> dict[str, str]:
    """The public seeds of a vendor by the name of the table that they stand for."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.csv")):
        name = path.stem.removesuffix("_data").removeprefix("sf_").removeprefix("example_segment_")
        if not name.endswith("_postgres"):  # the same rows with other quotes
            found[name] = path.read_text(encoding="utf-8-sig")
    return found


def _type(values: Sequence[str]) -> str:
    given = [value for value in values if value != ""]
    for name, pattern in _TYPES.items():
        if given and all(re.fullmatch(pattern, value, re.IGNORECASE) for value in given):
            return name
    return "text"
