"""Install mappings: SQL selects, one or several per canonical table, over whatever tables a team has.

`install_mappings` turns a folder of `<table>.sql` and `<table>/<source>.sql` into views of schema `mapping` and holds
their columns to the source contract. Pulling their rows belongs to `mapping_sync`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import SourceTable, read_contract
from cs_pipeline.warehouse.mapping_files import MappingFile, mapping_files
from cs_pipeline.warehouse.mapping_reader import functions_with_effects
from cs_pipeline.warehouse.mapping_sql import in_words, one_select
from cs_pipeline.warehouse.schemas import ensure_schema
from cs_pipeline.warehouse.source_files import closest

SCHEMA = "mapping"
EMAIL, DOMAIN = "_email", "_domain"
HELPERS = (EMAIL, DOMAIN)
"""Columns that a mapping may have beside the contract's: the address, or the domain, by which the row's account and
user are found where the source does not name them."""
CHANGED_AT = "_changed_at"
"""One more: when the row last changed, by which `map` knows what is new."""
SINCE = """
create or replace function mapping.since() returns timestamptz language sql stable as
$$ select coalesce(nullif(current_setting('cs_pipeline.since', true), '')::timestamptz, '-infinity'::timestamptz) $$
"""
"""The moment from which `map` reads at present; for ever where it reads everything."""

WORDS = ("text", "character varying", "character", "name", "citext")
_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
# What a column may be so that its values can become the contract's type; other types need a cast in the mapping.
_CASTABLE: Mapping[str, tuple[str, ...]] = {
    "text": (*WORDS, *_NUMBERS, "uuid", "boolean", "date"),
    "timestamptz": (*WORDS, "timestamp with time zone", "timestamp without time zone", "date"),
    "date": (*WORDS, "date"),
    "boolean": (*WORDS, "boolean", "smallint", "integer", "bigint"),
    "integer": (*WORDS, *_NUMBERS),
    "double precision": (*WORDS, *_NUMBERS),
}


@dataclass(frozen=True)
class InstalledMapping:
    """A view of schema `mapping`: the columns of the contract it provides, and those it leaves out. `source`: None
    for `<table>.sql`. `leads`: where several describe the same accounts or users, its rows decide.
    """

    table: str
    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    source: str | None = None
    leads: bool = True

    @property
    def relation(self) -> str:
        """Its view, in SQL."""
        return f"{SCHEMA}.{self.table}" + (f"__{self.source}" if self.source else "")

    @property
    def name(self) -> str:
        """The file it was made of, without its ending."""
        return self.table + (f"/{self.source}" if self.source else "")

    @property
    def origin(self) -> str:
        """What its loads and rejects are known by."""
        return f"mapping {self.name}"

    @contextmanager
    def read_in_words(self) -> Iterator[None]:
        """What PostgreSQL has against reading it, as a UserError that names its file."""
        try:
            yield
        except psycopg2.Error as error:
            reason = " ".join((error.diag.message_primary or str(error)).split())
            raise UserError(
                f"{self.origin} cannot be read: {reason}. Change {self.name}.sql (pass doubtful values on as text: "
                "the contract puts aside what it cannot read) and install it again."
            ) from None


def install_mappings(warehouse: Warehouse, folder: Path, *, whole: bool = True) -> list[InstalledMapping]:
    """Make a view of every select in `folder`, all or none; views of other mappings are dropped. `whole`: the folder
    must have every required table.

    Raises UserError, with file and line where PostgreSQL gives one, for a file that is not one select, SQL that does
    not run, a required table or column that is missing, an unknown column, and a type that cannot become the
    contract's.
    """
    contract = read_contract()
    files = mapping_files(folder, contract)
    with warehouse.session() as session, session.cursor() as cursor:
        ensure_schema(cursor, SCHEMA)
        cursor.execute(SINCE)
        for name in _views(cursor):
            cursor.execute(f'drop view {SCHEMA}."{name}"')
        installed = [_install(cursor, contract.tables[file.table], file) for file in files]
        there = {file.table for file in files}
        missing = [f"{name}.sql" for name, table in contract.tables.items() if table.required and name not in there]
        if whole and missing:  # said last, so that whoever writes the files one by one hears about those there are
            raise UserError(f"{folder} lacks {', '.join(missing)}: the pipeline cannot run without it.")
    return installed


def installed_mappings(cursor: Cursor) -> dict[str, list[InstalledMapping]]:
    """The views there are, by table, the leading one of each first."""
    contract = read_contract()
    found: dict[str, list[InstalledMapping]] = {}
    for view, leads in _views(cursor).items():
        name, _, source = view.partition("__")
        if name in contract.tables:
            types = types_of(cursor, f"{SCHEMA}.{view}")
            made = _described(contract.tables[name], types, source or None, leads=leads)
            found.setdefault(name, []).append(made)
    return {name: sorted(views, key=lambda view: not view.leads) for name, views in found.items()}


def types_of(cursor: Cursor, relation: str) -> dict[str, str]:
    """The columns of a view with PostgreSQL's names of their types, without lengths."""
    cursor.execute(
        "select attname, format_type(atttypid, null) from pg_attribute where attrelid = %s::regclass "
        "and attnum > 0 order by attnum",
        (relation,),
    )
    return dict(cursor.fetchall())


def _views(cursor: Cursor) -> dict[str, bool]:
    """The views of the schema, and whether each leads."""
    cursor.execute(
        "select relname, coalesce(obj_description(oid, 'pg_class'), '') <> 'adds to another' from pg_class "
        "where relkind = 'v' and relnamespace = to_regnamespace(%s) order by relname",
        (SCHEMA,),
    )
    return dict(cursor.fetchall())


def _install(cursor: Cursor, table: SourceTable, file: MappingFile) -> InstalledMapping:
    select = one_select(file.path)
    relation = f"{SCHEMA}.{file.view}"
    create = f"create view {relation} as\n"
    try:
        cursor.execute(create + select)
    except psycopg2.Error as error:
        raise in_words(error, file.path, select, len(create)) from None
    if effects := functions_with_effects(cursor, relation):
        raise UserError(f"{file.path}: a mapping only reads, and {effects[0]}() may do more than that; leave it out.")
    if not file.leads:
        cursor.execute(f"comment on view {relation} is 'adds to another'")
    types = types_of(cursor, relation)
    _check_columns(table, types, file)
    return _described(table, types, file.source, leads=file.leads)


def _described(table: SourceTable, types: Mapping[str, str], source: str | None, *, leads: bool) -> InstalledMapping:
    columns = tuple(name for name in types if name not in (*HELPERS, CHANGED_AT))
    left_out = tuple(name for name in table.column_names if name not in types)
    return InstalledMapping(table.name, columns, left_out, source, leads)


def _check_columns(table: SourceTable, types: Mapping[str, str], file: MappingFile) -> None:
    path = file.path
    for name, kind in types.items():
        if name == "?column?":
            raise UserError(f"{path}: a column has no name; give it one with `as`.")
        if name == CHANGED_AT:
            if not kind.startswith("timestamp"):
                raise UserError(f"{path}: column {name!r} is {kind}; it must be a timestamp.")
            continue
        if name in HELPERS and "account_id" in table.column_names:
            if kind not in WORDS:
                raise UserError(f"{path}: column {name!r} is {kind}; it must be text.")
            continue
        if name not in table.column_names:
            suggestion = closest(name, set(table.column_names) - set(types))
            raise UserError(f"{path}: column {name!r} is not one of {table.name}'s{suggestion}.")
        wanted = table.column(name).data_type
        if kind not in _CASTABLE[wanted]:
            raise UserError(f"{path}: column {name!r} is {kind}, which cannot become {wanted}; cast it in the mapping.")
    needed = [column.name for column in table.columns if column.required and (file.leads or column.name in table.key)]
    missing = [name for name in needed if name not in types]
    if missing:
        raise UserError(f"{path}: {table.name} needs the column {', '.join(missing)}; it is missing.")
