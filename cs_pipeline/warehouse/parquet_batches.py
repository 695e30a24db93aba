"""Stream Parquet files, every column as the text that CSV would hold."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.batches import Batch, BrokenRow, has_long_field, too_long
from cs_pipeline.warehouse.source_files import SourceFile

BATCH_ROWS = 65_536


def read_parquet_header(file: SourceFile) -> tuple[str, ...]:
    """The names of the columns. Raises UserError for a damaged file and for a column of lists or structs."""
    with _opened(file) as parquet:
        schema = parquet.schema_arrow
        for field in schema:
            kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            if pa.types.is_nested(kind):
                raise UserError(f"{file.path}: column {field.name} holds {kind}; only single values can be loaded.")
        return tuple(schema.names)


def read_parquet_batches(file: SourceFile) -> Iterator[Batch]:
    """The rows in batches. Raises UserError for a damaged file, bytes that are not UTF-8, and NUL bytes."""
    row_number = 1
    with _opened(file) as parquet:
        total = max(1, parquet.metadata.num_rows)
        try:
            for rows in parquet.iter_batches(batch_size=BATCH_ROWS):
                text = pa.table([_as_text(column) for column in rows.columns], names=rows.schema.names)
                _check_text(file, text, row_number)
                lines = pa.array(range(row_number, row_number + text.num_rows), pa.int64())
                row_number += text.num_rows
                yield _without_long_fields(text, lines, row_number / total)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(file, error) from None


def _opened(file: SourceFile) -> pq.ParquetFile:
    if not file.path.stat().st_size:
        raise UserError(f"{file.path} is empty: expected a Parquet file.")
    try:
        return pq.ParquetFile(file.path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from None


def _damaged(file: SourceFile, error: Exception) -> UserError:
    return UserError(f"{file.path} is not a sound Parquet file ({' '.join(str(error).split())}); write it again.")


def _as_text(column: pa.Array) -> pa.Array:
    """The text that CSV would hold. Moments are spelt in UTC as PostgreSQL spells them (`2024-03-31 14:00:00.5`): Arrow
    looks up a zone for every row that it spells with one, and PostgreSQL knows its own spelling at the least price.
    """
    if not pa.types.is_timestamp(column.type):
        return column.cast(pa.string())
    text = column.cast(pa.timestamp(column.type.unit)).cast(pa.string())
    if column.type.unit == "s":
        return text
    without_zeros = pc.call_function("ascii_rtrim", [text], pc.TrimOptions("0"))
    return pc.call_function("ascii_rtrim", [without_zeros], pc.TrimOptions("."))


def _check_text(file: SourceFile, rows: pa.Table, row_number: int) -> None:
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        found = pc.call_function("match_substring", [column], pc.MatchSubstringOptions("\0"))
        position = pc.index(pc.fill_null(found, False), True).as_py()
        if position >= 0:
            raise UserError(f"{file.path}, row {row_number + position}: column {name} holds a NUL byte.")


def _without_long_fields(rows: pa.Table, lines: pa.Array, fraction: float) -> Batch:
    if not has_long_field(rows):
        return Batch(rows, lines, fraction)
    broken: list[BrokenRow] = []
    keep: list[bool] = []
    for line, row in zip(lines.to_pylist(), rows.to_pylist(), strict=True):
        problem = too_long(line, row)
        keep.append(problem is None)
        if problem:
            broken.append(problem)
    mask = pa.array(keep)
    return Batch(rows.filter(mask), lines.filter(mask), fraction, broken=broken)
