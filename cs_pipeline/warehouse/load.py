"""Load a folder of canonical CSV and Parquet files into schema `raw`.

Headers of all files are checked before anything is written. Then each table is one transaction: read, checked,
upserted, or nothing of it. The largest is loaded beside the others.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from psycopg2.extensions import connection as Session
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import Contract, SourceTable, exists, read_contract
from cs_pipeline.warehouse.incoming import LOAD, RowsRead, begin_load, copy_file, create_incoming, read_header, settle
from cs_pipeline.warehouse.load_beside import beside
from cs_pipeline.warehouse.load_report import LoadReport, OnProgress, Progress, Stage, TableReport, silent
from cs_pipeline.warehouse.load_turn import LoadTurn, turn_to_load
from cs_pipeline.warehouse.rejects import count_rejects_of_loads
from cs_pipeline.warehouse.source_files import SourceFile, canonical_files, closest
from cs_pipeline.warehouse.spread import is_spread
from cs_pipeline.warehouse.upsert import upsert_incoming


@dataclass(frozen=True)
class _TableLoad:
    """A table of the folder. `files`: the load id of each of its files, and the columns that it has."""

    table: SourceTable
    files: Mapping[SourceFile, tuple[int, tuple[str, ...]]]
    turn: LoadTurn


def load_folder(
    warehouse: Warehouse, folder: Path, *, delimiter: str | None = None, on_progress: OnProgress = silent
) -> LoadReport:
    """Load every table that `folder` holds files of; a table it does not hold stays as it is. `delimiter`: what
    separates the columns of its text files, where it is not what their names say.

    Rows that break the contract are put aside in `raw.raw_rejects`; the rest is upserted by key. Raises UserError for
    a missing required table, a file name or header that does not fit the contract, and a file that cannot be read;
    tables loaded before the error stay.
    """
    contract = read_contract()
    files = canonical_files(folder, contract.tables, delimiter)
    _require(warehouse, contract, folder, files)
    headers = {file: _checked_header(contract.tables[file.table], file) for parts in files.values() for file in parts}
    tables = _in_order(contract, files)
    with turn_to_load(warehouse, len(headers)) as turn:
        load_ids = iter(turn.load_ids)
        of_tables = [
            _TableLoad(table, {file: (next(load_ids), headers[file]) for file in files[table.name]}, turn)
            for table in tables
        ]
        return LoadReport(tuple(_load_tables(warehouse, of_tables, on_progress)))


def _in_order(contract: Contract, files: Mapping[str, Sequence[SourceFile]]) -> list[SourceTable]:
    """The tables in the order of their load ids: each after those it refers to, and last the largest of those that no
    other refers to.
    """
    tables = [table for table in contract.in_load_order() if table.name in files]
    parents = frozenset[str]().union(*(table.parents for table in tables))
    childless = (table for table in tables if table.name not in parents)
    largest = max(childless, key=lambda table: sum(file.path.stat().st_size for file in files[table.name]))
    return [*(table for table in tables if table is not largest), largest]


def _require(warehouse: Warehouse, contract: Contract, folder: Path, files: Mapping[str, Sequence[SourceFile]]) -> None:
    """Required tables are in the folder or were loaded before."""
    with warehouse.session() as session, session.cursor() as cursor:
        missing = [
            table.name
            for table in contract.tables.values()
            if table.required and table.name not in files and not exists(cursor, table)
        ]
    if missing:
        names = ", ".join(f"{name}.csv" for name in missing)
        raise UserError(f"{folder} lacks {names} (or .csv.gz, .parquet): the pipeline cannot run without it.")


def _checked_header(table: SourceTable, file: SourceFile) -> tuple[str, ...]:
    header = read_header(file)
    problems = [
        f"column {name!r} appears twice" for name in sorted({name for name in header if header.count(name) > 1})
    ]
    problems += [
        f"column {name!r} is unknown{closest(name, set(table.column_names) - set(header))}"
        for name in dict.fromkeys(header)
        if name not in table.column_names
    ]
    problems += [
        f"column {column.name!r} is missing"
        for column in table.columns
        if column.required and column.name not in header
    ]
    if problems:
        known = ", ".join(table.column_names)
        raise UserError(f"{file.path}: wrong header: {'; '.join(problems)}. {table.name} has the columns {known}.")
    return header


def _load_tables(warehouse: Warehouse, loads: Sequence[_TableLoad], on_progress: OnProgress) -> Iterator[TableReport]:
    """Load one table after another, and beside them the last, as soon as those that it refers to are there. Over
    several servers it has to wait for all: there, two that make a table at the same time would wait for each other.
    """
    *others, last = loads
    with warehouse.session() as session, session.cursor() as cursor:
        waits_for = {load.table.name for load in others}
        if not is_spread(cursor):
            waits_for &= last.table.parents
    with beside(warehouse, partial(_load_table, last), on_progress) as largest:
        for load in others:
            if not waits_for:
                largest.start()
            with warehouse.session() as session:
                done = _load_table(load, session, on_progress)
            waits_for.discard(load.table.name)
            yield done
        yield largest.end()


def _load_table(load: _TableLoad, session: Session, on_progress: OnProgress) -> TableReport:
    began = time.perf_counter()
    table, files = load.table, load.files
    columns = [name for name in table.column_names if any(name in header for _, header in files.values())]
    with session.cursor() as cursor:
        load.turn.take_part(cursor)
        settle(cursor)
        incoming = create_incoming(cursor, table.name, columns)
        read: dict[int, RowsRead] = {}
        origins = {load_id: file.origin for file, (load_id, _) in files.items()}
        for part, (file, (load_id, header)) in enumerate(files.items()):
            before = sum(done.rows for done in read.values())

            def report(now: RowsRead, part: int = part, before: int = before) -> None:
                on_progress(Progress(table.name, "reading", before + now.rows, (part + now.fraction) / len(files)))

            begin_load(cursor, table.name, file.origin, load_id)
            names = dict(zip(header, header, strict=True))
            read[load_id] = copy_file(
                cursor, file, load_id, incoming.relation, {LOAD: load_id}, names, report, keep_blanks=False
            )
        rows = sum(done.rows for done in read.values())

        def at(stage: Stage) -> None:
            on_progress(Progress(table.name, stage, rows, 1.0))

        upserted = upsert_incoming(cursor, table, incoming, origins, at)
        cursor.execute(f"drop table {incoming.relation}")
        _require_rows(cursor, table, rows, files)
        finish_loads(cursor, table, {load_id: done.rows for load_id, done in read.items()}, upserted.loaded)
        reasons = count_rejects_of_loads(cursor, list(origins))
        at("done")
    return TableReport(
        table=table.name,
        origins=tuple(origins.values()),
        rows_read=rows,
        rows_loaded=upserted.loaded,
        rows_rejected=upserted.rejected + sum(done.broken for done in read.values()),
        seconds=time.perf_counter() - began,
        reasons=tuple(reasons),
    )


def finish_loads(cursor: Cursor, table: SourceTable, rows_read: Mapping[int, int], loaded: int) -> None:
    """Complete the records of some loads of one table (load id: rows read), of which `loaded` rows were written."""
    written = dict.fromkeys(rows_read, loaded)
    if len(rows_read) > 1:
        cursor.execute(
            f"select _load_id, count(*) from {table.relation} where _load_id = any(%s) group by 1", (list(rows_read),)
        )
        written = dict.fromkeys(rows_read, 0) | dict(cursor.fetchall())
    cursor.execute(
        "update cs.loads set rows_read = done.rows_read, rows_loaded = done.rows_loaded, "
        "finished_at = clock_timestamp(), "
        "rows_rejected = (select coalesce(sum(rows), 0) from raw.raw_rejects "
        "where raw_rejects.load_id = loads.load_id and not row_kept) "
        "from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as done (load_id, rows_read, rows_loaded) "
        "where loads.load_id = done.load_id",
        (list(rows_read), list(rows_read.values()), [written[load_id] for load_id in rows_read]),
    )


def _require_rows(cursor: Cursor, table: SourceTable, rows: int, files: Mapping[SourceFile, object]) -> None:
    if rows or not table.required:
        return
    cursor.execute(f"select exists (select 1 from {table.relation})")
    if cursor.fetchone() == (False,):
        names = ", ".join(str(file.path) for file in files)
        raise UserError(f"{names} is empty: there is a header and no row, and the pipeline needs {table.name}.")
