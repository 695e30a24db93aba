"""Hold what a file reader yields: rows as text columns, the line each begins on, and the rows it could not read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

MAX_FIELD_BYTES = 1_000_000
SHOWN_CHARACTERS = 1_000  # of a field too long to keep


@dataclass(frozen=True)
class BrokenRow:
    """A row that has no place in the table at all: fields missing or too many, or a field without end."""

    line: int
    column: str | None
    reason: str
    row: dict[str, Any]


@dataclass(frozen=True)
class Batch:
    """Rows as text columns under the header's names. `lines` are counted from 1 with the header (CSV) or are row
    numbers from 1 (Parquet). `is_plain`: no value needs quotes in CSV. `fraction` of the file read so far.
    """

    rows: pa.Table
    lines: pa.Array
    fraction: float
    is_plain: bool = False
    broken: Sequence[BrokenRow] = field(default_factory=tuple)


def has_long_field(rows: pa.Table) -> bool:
    """True when some value is longer than a field may be."""
    lengths = (pc.call_function("binary_length", [column]) for column in rows.columns)
    return any((pc.call_function("max", [each]).as_py() or 0) > MAX_FIELD_BYTES for each in lengths)


def too_long(line: int, row: dict[str, str | None]) -> BrokenRow | None:
    """The row as a broken one, its long fields cut, when a value is longer than a field may be."""
    long = [name for name, value in row.items() if value and len(value.encode()) > MAX_FIELD_BYTES]
    if not long:
        return None
    kept = {name: value[:SHOWN_CHARACTERS] + "…" if value and name in long else value for name, value in row.items()}
    return BrokenRow(line, long[0], f"is longer than {MAX_FIELD_BYTES:,} bytes", kept)
