"""Copy files into the table of incoming rows: one for each load of a table, gone when its transaction ends.

Its columns are the file's (text) or the mapping's, with two of ours: the load a row belongs to and its line. Files are
copied into it as a stream; what a file reader could not read goes beside it, straight to the rejects.
"""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import psycopg2.errors
import pyarrow as pa
import pyarrow.csv
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.batches import Batch
from cs_pipeline.warehouse.contract import SCHEMA
from cs_pipeline.warehouse.csv_batches import read_csv_batches, read_csv_header
from cs_pipeline.warehouse.kept_rejects import KeptRejects, shortened
from cs_pipeline.warehouse.load_turn import wait_for_loads
from cs_pipeline.warehouse.parquet_batches import read_parquet_batches, read_parquet_header
from cs_pipeline.warehouse.source_files import SourceFile
from cs_pipeline.warehouse.spellings import without_blanks

LOAD, LINE = "_load_id", "_line"
COPY_BYTES = 1 << 20
SPOOL_BYTES = 16 << 20


@dataclass(frozen=True)
class Incoming:
    """The incoming rows of a table: their relation, and the type of each column."""

    relation: str
    types: Mapping[str, str]


def read_header(file: SourceFile) -> tuple[str, ...]:
    """The names of the file's columns. Raises UserError for a file that cannot be read."""
    return read_parquet_header(file) if file.is_parquet else read_csv_header(file)


def read_batches(file: SourceFile) -> Iterator[Batch]:
    """The file's rows. Raises UserError for a file that cannot be read to its end."""
    return read_parquet_batches(file) if file.is_parquet else read_csv_batches(file)


def prepare(cursor: Cursor) -> None:
    """Wait for other loads to end, and settle what the transaction of a load relies on."""
    wait_for_loads(cursor)
    settle(cursor)


def settle(cursor: Cursor) -> None:
    """Settle what the transaction of a load relies on."""
    cursor.execute(
        "set local datestyle = 'ISO, YMD'; set local work_mem = '256MB'; set local maintenance_work_mem = '512MB'; "
        "set local parallel_tuple_cost = 0; "  # checks yield few rows, which PostgreSQL cannot know
        # A transaction on other servers, where tables are spread, would have a savepoint there for every value tried.
        "set local citus.select_opens_transaction_block = off"
    )


def begin_load(cursor: Cursor, table: str, origin: str, reserved: int | None = None) -> int:
    """The load id of the rows of one origin, whose earlier rejects are forgotten: a new one, or one `reserved` for it
    (`load_turn`).
    """
    cursor.execute("delete from raw.raw_rejects where source_table = %s and origin = %s", (table, origin))
    cursor.execute(
        "insert into cs.loads (load_id, source_table, origin) overriding system value "
        "values (coalesce(%s, nextval(pg_get_serial_sequence('cs.loads', 'load_id'))), %s, %s) returning load_id",
        (reserved, table, origin),
    )
    (load_id,) = cursor.fetchone() or (0,)
    return load_id


def create_incoming(cursor: Cursor, table: str, columns: Sequence[str]) -> Incoming:
    """An empty table for rows of files; not a temporary one, whose scans PostgreSQL would not spread over workers."""
    incoming = Incoming(f"{SCHEMA}._incoming_{table}", dict.fromkeys(columns, "text"))
    names = ", ".join(f"{column} text" for column in columns)
    cursor.execute(f"create unlogged table {incoming.relation} ({LOAD} bigint not null, {LINE} bigint, {names})")
    return incoming


@dataclass
class RowsRead:
    """How much of a file has arrived; `rows` counts those put aside too."""

    rows: int = 0
    broken: int = 0
    fraction: float = 0.0


def copy_file(
    cursor: Cursor,
    file: SourceFile,
    load_id: int,
    target: str,
    leading: Mapping[str, object],
    columns: Mapping[str, str],
    on_batch: Callable[[RowsRead], None],
    *,
    keep_blanks: bool,
) -> RowsRead:
    """Copy a file into `target`, which has the `leading` columns (one value for the whole file), `_line`, and for each
    of the file's columns the one that `columns` names. Rows that cannot be read become rejects of the load.
    `keep_blanks`: around the values, which else are gone.
    """
    read, rejects = RowsRead(), KeptRejects()
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES, "w+", encoding="utf-8", newline="") as aside:
        write_aside = csv.writer(aside)

        def chunks() -> Iterator[bytes]:
            for batch in read_batches(file):
                for broken in filter(rejects.keeps, batch.broken):
                    row = json.dumps(shortened(broken.row), ensure_ascii=False)
                    write_aside.writerow(
                        [load_id, file.table, file.origin, broken.line, broken.column, broken.reason, row, 1]
                    )
                read.rows += batch.rows.num_rows + len(batch.broken)
                read.broken += len(batch.broken)
                read.fraction = batch.fraction
                rows = batch.rows if keep_blanks else without_blanks(batch.rows)
                yield _as_csv(rows, batch.lines, leading, is_plain=batch.is_plain)
                on_batch(read)

        data = ", ".join(f'"{column}"' for column in columns.values())  # a foreign column may be called "order"
        copy = f"copy {target} ({', '.join(leading)}, {LINE}, {data}) from stdin (format csv, force_null ({data}))"
        _copy(cursor, copy, chunks())
        for column, reason, rows in rejects.rest():
            write_aside.writerow([load_id, file.table, file.origin, None, column, reason, "{}", rows])
        aside.seek(0)
        _copy(
            cursor,
            "copy raw.raw_rejects (load_id, source_table, origin, line, column_name, reason, row_data, rows) "
            "from stdin (format csv)",
            (text.encode() for text in iter(lambda: aside.read(COPY_BYTES), "")),
        )
    return read


def _as_csv(rows: pa.Table, lines: pa.Array, leading: Mapping[str, object], *, is_plain: bool) -> bytes:
    constant = [pa.repeat(pa.scalar(value), rows.num_rows) for value in leading.values()]
    table = pa.table(
        [*constant, lines, *rows.columns], names=[*leading, LINE, *(f"c{i}" for i in range(rows.num_columns))]
    )
    buffer = io.BytesIO()
    quoting = "none" if is_plain else "needed"
    pyarrow.csv.write_csv(table, buffer, pyarrow.csv.WriteOptions(include_header=False, quoting_style=quoting))
    return buffer.getvalue()


class _Stream:
    """Chunks of bytes as the file that COPY reads; keeps the error that psycopg2 would turn into its own."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            while not self._rest:
                self._rest = memoryview(next(self._chunks))
        except StopIteration:
            return b""
        except BaseException as error:
            self.error = error
            raise
        part, self._rest = self._rest[:size], self._rest[size:]
        return bytes(part)


def _copy(cursor: Cursor, statement: str, chunks: Iterable[bytes]) -> None:
    stream = _Stream(chunks)
    try:
        cursor.copy_expert(statement, stream, COPY_BYTES)  # pyright: ignore[reportArgumentType] - it only reads
    except psycopg2.errors.QueryCanceled:
        if stream.error is None:
            raise
        raise stream.error from None
