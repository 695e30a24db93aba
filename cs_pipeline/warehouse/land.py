"""Land foreign files as they are in schema `landing`, for mappings to read.

Every column is text; `_file` and `_line` say where a row came from. Nothing is checked but that each row fits its
header: what does not is put aside like any other reject.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2.errors
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.incoming import LINE, RowsRead, begin_load, copy_file, prepare, read_header
from cs_pipeline.warehouse.load_report import OnProgress, Progress, silent
from cs_pipeline.warehouse.schemas import LANDING, ensure_schema
from cs_pipeline.warehouse.source_files import SourceFile, landing_files, plain_name

SCHEMA = LANDING
FILE = "_file"


@dataclass(frozen=True)
class LandedTable:
    """A table of schema `landing`: its columns by the names of the files' headers, and its rows. `seconds` of wall
    time.
    """

    table: str
    columns: Mapping[str, str]
    rows: int
    rejected: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """Rows read a second."""
        return (self.rows + self.rejected) / self.seconds if self.seconds else 0.0


def land_folder(
    warehouse: Warehouse, folder: Path, *, delimiter: str | None = None, on_progress: OnProgress = silent
) -> list[LandedTable]:
    """Replace `landing.<name>` by the rows of each file of `folder` (or by the parts in each subfolder).

    Names of tables and columns become plain SQL names: lower case, anything but letters and digits as `_`. One
    transaction a table. Raises UserError for a file that cannot be read, for columns that would get the same name,
    and when a mapping reads a column that is no longer there.
    """
    files = landing_files(folder, delimiter)
    headers = {file: _columns(file) for parts in files.values() for file in parts}
    return [
        _land_table(warehouse, table, {file: headers[file] for file in parts}, on_progress)
        for table, parts in files.items()
    ]


def _columns(file: SourceFile) -> dict[str, str]:
    """The file's columns, by the names in its header."""
    columns: dict[str, str] = {}
    for position, name in enumerate(read_header(file), 1):
        column = plain_name(name) or f"column_{position}"
        if name in columns or column in (*columns.values(), FILE, LINE):
            raise UserError(f"{file.path}: column {position} ({name!r}) would be a second {column!r}; rename it.")
        columns[name] = column
    return columns


def _land_table(
    warehouse: Warehouse, table: str, files: Mapping[SourceFile, Mapping[str, str]], on_progress: OnProgress
) -> LandedTable:
    began = time.perf_counter()
    columns = {name: column for header in files.values() for name, column in header.items()}
    relation = f"{SCHEMA}.{table}"
    rows = rejected = 0
    with warehouse.session() as session, session.cursor() as cursor:
        prepare(cursor)
        _empty_table(cursor, table, list(dict.fromkeys(columns.values())))
        for part, (file, header) in enumerate(files.items()):

            def report(now: RowsRead, part: int = part, before: int = rows + rejected) -> None:
                on_progress(Progress(relation, "reading", before + now.rows, (part + now.fraction) / len(files)))

            named = replace(file, table=relation)
            load_id = begin_load(cursor, relation, file.origin)
            read = copy_file(cursor, named, load_id, relation, {FILE: file.path.name}, header, report, keep_blanks=True)
            cursor.execute(
                "update cs.loads set rows_read = %s, rows_loaded = %s, rows_rejected = %s, "
                "finished_at = clock_timestamp() where load_id = %s",
                (read.rows, read.rows - read.broken, read.broken, load_id),
            )
            rows, rejected = rows + read.rows - read.broken, rejected + read.broken
        cursor.execute(f"analyze {relation}")
        on_progress(Progress(relation, "done", rows + rejected, 1.0))
    return LandedTable(table, columns, rows, rejected, time.perf_counter() - began)


def _empty_table(cursor: Cursor, table: str, columns: list[str]) -> None:
    """The table with just these columns and no rows; one that is there is altered, so that views on it stay."""
    ensure_schema(cursor, SCHEMA)
    cursor.execute(f"create table if not exists {SCHEMA}.{table} ({FILE} text not null, {LINE} bigint not null)")
    cursor.execute(f"truncate {SCHEMA}.{table}")
    cursor.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped",
        (f"{SCHEMA}.{table}",),
    )
    present = {name for (name,) in cursor.fetchall()} - {FILE, LINE}
    changes = [f'add column "{column}" text' for column in columns if column not in present]
    changes += [f'drop column "{column}"' for column in sorted(present - set(columns))]
    if not changes:
        return
    try:
        cursor.execute(f"alter table {SCHEMA}.{table} {', '.join(changes)}")
    except psycopg2.errors.DependentObjectsStillExist as error:
        reader = (error.diag.message_detail or "a view").splitlines()[0]
        raise UserError(
            f"The new {SCHEMA}.{table} lacks columns that are still read: {reader}. "
            "Drop that view, land again, then change the mapping and install it again."
        ) from None
