"""Install and sync mappings: one SQL select per canonical table, over whatever tables a team has.

`install_mappings` turns a folder of `<table>.sql` into views of schema `mapping` and holds their columns to the source
contract; `sync_mappings` pulls the views' rows into schema `raw` through the checks that files go through.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import psycopg2.errors
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse import contract as raw
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import Contract, SourceTable, exists, read_contract
from cs_pipeline.warehouse.incoming import LINE, LOAD, Incoming, begin_load, prepare
from cs_pipeline.warehouse.load import finish_loads
from cs_pipeline.warehouse.load_report import LoadReport, OnProgress, Progress, Stage, TableReport, silent
from cs_pipeline.warehouse.mapping_reader import copy_rows, functions_with_effects
from cs_pipeline.warehouse.mapping_sql import in_words, one_select
from cs_pipeline.warehouse.rejects import count_rejects_of_loads
from cs_pipeline.warehouse.schemas import ensure_schema
from cs_pipeline.warehouse.source_files import closest
from cs_pipeline.warehouse.spellings import BLANKS
from cs_pipeline.warehouse.upsert import upsert_incoming

SCHEMA = "mapping"

_WORDS = ("text", "character varying", "character", "name", "citext")
_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
# What a column may be so that its values can become the contract's type; other types need a cast in the mapping.
_CASTABLE: Mapping[str, tuple[str, ...]] = {
    "text": (*_WORDS, *_NUMBERS, "uuid", "boolean", "date"),
    "timestamptz": (*_WORDS, "timestamp with time zone", "timestamp without time zone", "date"),
    "date": (*_WORDS, "date"),
    "boolean": (*_WORDS, "boolean", "smallint", "integer", "bigint"),
    "integer": (*_WORDS, *_NUMBERS),
    "double precision": (*_WORDS, *_NUMBERS),
}
_SAME = {"timestamptz": "timestamp with time zone"}  # the contract's name: PostgreSQL's


@dataclass(frozen=True)
class InstalledMapping:
    """A view of schema `mapping`: the columns of the contract it provides, and those it leaves out."""

    table: str
    columns: tuple[str, ...]
    left_out: tuple[str, ...]


def install_mappings(warehouse: Warehouse, folder: Path) -> list[InstalledMapping]:
    """Make `mapping.<table>` of every `<table>.sql` in `folder`, all or none; views of other mappings are dropped.

    Raises UserError, with file and line where PostgreSQL gives one, for a file that is not one select, SQL that does
    not run, a required table or column that is missing, an unknown column, and a type that cannot become the
    contract's.
    """
    contract = read_contract()
    files = _files(folder, contract)
    with warehouse.session() as session, session.cursor() as cursor:
        ensure_schema(cursor, SCHEMA)
        for name in _views(cursor):
            cursor.execute(f'drop view {SCHEMA}."{name}"')
        installed = [_install(cursor, contract.tables[name], path) for name, path in files.items()]
        missing = [f"{name}.sql" for name, table in contract.tables.items() if table.required and name not in files]
        if missing:  # said last, so that whoever writes the files one by one hears about those there are
            raise UserError(f"{folder} lacks {', '.join(missing)}: the pipeline cannot run without it.")
    return installed


def sync_mappings(warehouse: Warehouse, *, on_progress: OnProgress = silent) -> LoadReport:
    """Upsert the rows of every installed mapping into schema `raw`, one transaction a table.

    Rows that break the contract are put aside with the origin `mapping <table>`; a canonical table without a mapping
    is left as it is, absent if it was. Raises UserError when no mapping is installed or a view fails to run.
    """
    contract = read_contract()
    with warehouse.session() as session, session.cursor() as cursor:
        views = _views(cursor)
        missing = [
            table.name
            for table in contract.tables.values()
            if table.required and table.name not in views and not exists(cursor, table)
        ]
    if missing:
        raise UserError(f"No mapping is installed for {', '.join(missing)}; run `cs-pipeline map FOLDER`.")
    return LoadReport(
        tuple(_sync(warehouse, table, on_progress) for table in contract.in_load_order() if table.name in views)
    )


def _files(folder: Path, contract: Contract) -> dict[str, Path]:
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: give the folder with one <table>.sql per canonical table.")
    files = {path.stem: path for path in sorted(folder.glob("*.sql"))}
    for name, path in files.items():
        if name not in contract.tables:
            raise UserError(f"{path}: {name!r} is not a table of the source contract{closest(name, contract.tables)}.")
    return files


def _views(cursor: Cursor) -> list[str]:
    cursor.execute("select viewname from pg_views where schemaname = %s order by 1", (SCHEMA,))
    return [name for (name,) in cursor.fetchall()]


def _install(cursor: Cursor, table: SourceTable, path: Path) -> InstalledMapping:
    select = one_select(path)
    create = f"create view {SCHEMA}.{table.name} as\n"
    try:
        cursor.execute(create + select)
    except psycopg2.Error as error:
        raise in_words(error, path, select, len(create)) from None
    if effects := functions_with_effects(cursor, f"{SCHEMA}.{table.name}"):
        raise UserError(f"{path}: a mapping only reads, and {effects[0]}() may do more than that; leave it out.")
    types = _types(cursor, table)
    _check_columns(table, types, path)
    return InstalledMapping(table.name, tuple(types), tuple(name for name in table.column_names if name not in types))


def _types(cursor: Cursor, table: SourceTable) -> dict[str, str]:
    """The view's columns with PostgreSQL's names of their types, without lengths."""
    cursor.execute(
        "select attname, format_type(atttypid, null) from pg_attribute where attrelid = %s::regclass order by attnum",
        (f"{SCHEMA}.{table.name}",),
    )
    return dict(cursor.fetchall())


def _check_columns(table: SourceTable, types: Mapping[str, str], path: Path) -> None:
    for name, kind in types.items():
        if name == "?column?":
            raise UserError(f"{path}: a column has no name; give it one with `as`.")
        if name not in table.column_names:
            suggestion = closest(name, set(table.column_names) - set(types))
            raise UserError(f"{path}: column {name!r} is not one of {table.name}'s{suggestion}.")
        wanted = table.column(name).data_type
        if kind not in _CASTABLE[wanted]:
            raise UserError(f"{path}: column {name!r} is {kind}, which cannot become {wanted}; cast it in the mapping.")
    missing = [column.name for column in table.columns if column.required and column.name not in types]
    if missing:
        raise UserError(f"{path}: {table.name} needs the column {', '.join(missing)}; it is missing.")


def _sync(warehouse: Warehouse, table: SourceTable, on_progress: OnProgress) -> TableReport:
    began = time.perf_counter()
    origin = f"mapping {table.name}"
    rows = 0

    def at(stage: Stage) -> None:
        on_progress(Progress(table.name, stage, rows, 0.0 if stage == "reading" else 1.0))

    with warehouse.session() as session, session.cursor() as cursor:
        prepare(cursor)
        at("reading")
        load_id = begin_load(cursor, table.name, origin)
        incoming, rows = _pull(warehouse, cursor, table, load_id)
        upserted = upsert_incoming(cursor, table, incoming, {load_id: origin}, at)
        cursor.execute(f"drop table {incoming.relation}")
        finish_loads(cursor, table, {load_id: rows}, upserted.loaded)
        reasons = count_rejects_of_loads(cursor, [load_id])
        at("done")
    return TableReport(
        table=table.name,
        origins=(origin,),
        rows_read=rows,
        rows_loaded=upserted.loaded,
        rows_rejected=upserted.rejected,
        seconds=time.perf_counter() - began,
        reasons=tuple(reasons),
    )


def _pull(warehouse: Warehouse, cursor: Cursor, table: SourceTable, load_id: int) -> tuple[Incoming, int]:
    """The view's rows as incoming ones, and how many they are; columns of another type than the contract's as text
    without blanks around it, empty text as nothing.
    """
    types = _types(cursor, table)
    kinds: dict[str, str] = {}
    values: Sequence[str] = []
    for name, kind in types.items():
        wanted = table.column(name).data_type
        same = kind == _SAME.get(wanted, wanted) and wanted != "text"
        kinds[name] = wanted if same else "text"
        text = f"btrim({name}::text, %(blanks)s)" if kind in _WORDS else f"{name}::text"
        values = [*values, name if same else f"nullif({text}, '') as {name}"]
    incoming = Incoming(f"{raw.SCHEMA}._incoming_{table.name}", kinds)
    select = (
        f"select {load_id}::bigint as {LOAD}, null::bigint as {LINE}, {', '.join(values)} from {SCHEMA}.{table.name}"
    )
    try:
        cursor.execute(f"create unlogged table {incoming.relation} as {select} with no data", {"blanks": BLANKS})
        return incoming, copy_rows(warehouse, select, {"blanks": BLANKS}, cursor, incoming.relation)
    except psycopg2.Error as error:
        reason = " ".join((error.diag.message_primary or str(error)).split())
        raise UserError(
            f"mapping {table.name} cannot be read: {reason}. Change {table.name}.sql (pass doubtful values on as text: "
            "the contract puts aside what it cannot read) and install it again."
        ) from None
