"""Read and write in bulk, as Arrow columns, in the caller's transaction (but for `query`). Nothing goes row by row.

Values are bound, but for those of a select that is streamed (`read_batches`): the driver copies a result out piece by
piece only where the statement has no parameters, and holds the whole of it in memory otherwise. They are written into
the statement by `literal`.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
from adbc_driver_manager.dbapi import Connection
from psycopg2.extensions import QuotedString

from cs_pipeline.warehouse.connection import Warehouse

ROWS_AT_A_TIME = 500
"""Small pieces of a COPY: the server reads one while the next is written, and two processors are at work."""


def read_table(connection: Connection, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
    """The result of `sql` (placeholders $1, $2, …) as one Arrow table."""
    with connection.cursor() as cursor:
        cursor.execute(sql, tuple(parameters) or None)
        return cursor.fetch_arrow_table()


def read_frame(connection: Connection, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
    """The result of `sql` as a DataFrame; missing numbers are NaN, missing text and dates None or NaT."""
    return read_table(connection, sql, parameters).to_pandas()


def query(warehouse: Warehouse, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
    """`read_frame` in a transaction of its own, for who asks one question only."""
    with warehouse.arrow() as connection:
        return read_frame(connection, sql, parameters)


def read_rows(warehouse: Warehouse, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
    """A few rows as plain Python values, None for what is missing, in a transaction of its own."""
    with warehouse.arrow() as connection:
        return read_table(connection, sql, parameters).to_pylist()


def read_batches(connection: Connection, sql: str) -> Iterator[pa.RecordBatch]:
    """The result of `sql` in batches, so that memory does not grow with the result."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        yield from cursor.fetch_record_batch()


def append(connection: Connection, schema: str, table: str, rows: pa.Table | pd.DataFrame) -> int:
    """Append `rows` to an existing table with COPY; columns are matched by name. Returns the number of rows."""
    data: pa.Table = pa.Table.from_pandas(rows, preserve_index=False) if isinstance(rows, pd.DataFrame) else rows
    if data.num_rows == 0:
        return 0
    pieces = pa.RecordBatchReader.from_batches(data.schema, data.to_batches(max_chunksize=ROWS_AT_A_TIME))
    with connection.cursor() as cursor:
        cursor.adbc_ingest(table, pieces, mode="append", db_schema_name=schema)
    return data.num_rows


def literal(value: str | date) -> str:
    """`value` as SQL, for a select that is streamed."""
    if isinstance(value, date):
        return f"date '{value}'"
    quoted = QuotedString(value)
    quoted.encoding = "utf-8"
    return quoted.getquoted().decode("utf-8")
