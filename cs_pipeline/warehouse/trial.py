"""Try out what the pipeline will need of a database, in transactions that are rolled back.

Whether the role may create and write, in which schemas, what bounds its statements, and what of the server stands in
the way. Nothing is left behind.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.advisory_locks import AdvisoryLock
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.mapping_reader import READER, reads_as_reader
from cs_pipeline.warehouse.refusals import DatabaseRefusal
from cs_pipeline.warehouse.schemas import REPLACED, SCHEMAS
from cs_pipeline.warehouse.session_settings import TIMEOUTS

OLDEST, NEWEST = 15, 18
PROBE = "_cs_pipeline_doctor"
CONNECTIONS = 20  # webserver, daemon, code servers and four runs, each with some


@dataclass(frozen=True)
class Tried:
    """One thing that was tried. `wrong`: the pipeline cannot work like that; `note`: it can, and should be known."""

    subject: str
    state: Literal["ok", "note", "wrong"]
    words: str


def try_out(warehouse: Warehouse) -> Iterator[Tried]:
    """Everything that was tried. Raises UserError when the server cannot be reached."""
    with warehouse.session() as session, session.cursor() as cursor:
        yield from _server(cursor)
        yield from _schemas(cursor)
        yield _timeouts(cursor)
        yield from _connections(cursor)
        yield _mappings(cursor)
    yield _writing(warehouse)


def require_usable(warehouse: Warehouse) -> None:
    """Raise UserError with all that is wrong, before a long run or a service meets it in the midst of its work."""
    wrong = [f"{tried.subject}: {tried.words}" for tried in try_out(warehouse) if tried.state == "wrong"]
    if wrong:
        raise UserError("\n  ".join([f"The pipeline cannot work on PostgreSQL at {warehouse.location}:", *wrong]))


def _server(cursor: Cursor) -> Iterator[Tried]:
    version = cursor.connection.server_version // 10_000
    if version < OLDEST:
        yield Tried("PostgreSQL", "wrong", f"version {version} is too old: the pipeline needs {OLDEST} to {NEWEST}")
    elif version > NEWEST:
        yield Tried("PostgreSQL", "note", f"version {version} is newer than {NEWEST}, the newest that was tried")
    encoding = _value(cursor, "show server_encoding")
    if encoding != "UTF8":
        words = f"it holds {encoding}: names of customers need UTF8; create a database with encoding 'UTF8'"
        yield Tried("encoding", "wrong", words)
    if _value(cursor, "select pg_is_in_recovery()"):
        yield Tried("writing", "wrong", "the server is a standby, which only reads: connect to the primary server")
    elif _value(cursor, "select setting from pg_settings where name = 'default_transaction_read_only'") == "on":
        words = (
            "default_transaction_read_only is on: `alter role {} set default_transaction_read_only = off`, "
            "or connect with another role"
        )
        yield Tried("writing", "wrong", words.format(_role(cursor)))


def _schemas(cursor: Cursor) -> Iterator[Tried]:
    """Which schemas lack a right, and which hold what the role cannot replace."""
    role = _role(cursor)
    cursor.execute(
        "select nspname, has_schema_privilege(oid, 'usage') and has_schema_privilege(oid, 'create') "
        "from pg_namespace where nspname = any(%s)",
        (list(SCHEMAS),),
    )
    rights = dict(cursor.fetchall())
    refused = [name for name in SCHEMAS if rights.get(name) is False]
    if refused:
        words = f"{role} may not create in {', '.join(refused)}: `grant usage, create on schema … to {role}`"
        yield Tried("schemas", "wrong", words)
    absent = [name for name in SCHEMAS if name not in rights]
    if absent and not _value(cursor, "select has_database_privilege(current_database(), 'create')"):
        words = (
            f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not there, and {role} may not create schemas: "
            f"`create schema … authorization {role}` for each, or `grant create on database … to {role}`"
        )
        yield Tried("schemas", "wrong", words)
    if not _value(cursor, "select has_database_privilege(current_database(), 'temporary')"):
        words = f"{role} may not create temporary tables: `grant temporary on database … to {role}`"
        yield Tried("temporary tables", "wrong", words)
    cursor.execute(
        "select nspname, count(*), min(relname) from pg_class inner join pg_namespace as n on relnamespace = n.oid "
        "where nspname = any(%s) and relkind in ('r', 'p', 'v', 'm') and not pg_has_role(relowner, 'usage') "
        "group by nspname order by nspname",
        (list(REPLACED),),
    )
    for name, count, example in cursor.fetchall():
        words = (
            f"{count:,} tables or views, such as {name}.{example}, belong to another role and cannot be replaced: "
            f"`alter table … owner to {role}`"
        )
        yield Tried(f"schema {name}", "wrong", words)


def _timeouts(cursor: Cursor) -> Tried:
    """What bounds a plain session of the role, and what bounds ours."""
    cursor.execute(
        "select name, current_setting(name), reset_val, coalesce(unit, '') from pg_settings "
        "where name = any(%s) order by name",
        (list(TIMEOUTS),),
    )
    found = cursor.fetchall()
    kept = [f"{name} = {now}" for name, now, _, _ in found if now not in ("0", "0s", "0ms")]
    lifted = [f"{name} = {reset} {unit}" for name, now, reset, unit in found if reset != "0" and now in ("0", "0ms")]
    if kept:
        words = f"the address bounds our sessions: {', '.join(kept)}; a statement that takes longer ends its run"
        return Tried("timeouts", "note", words)
    if lifted:
        return Tried("timeouts", "note", f"{', '.join(lifted)} for this role; sessions of the pipeline lift them")
    return Tried("timeouts", "ok", "none")


def _connections(cursor: Cursor) -> Iterator[Tried]:
    cursor.execute(
        "select current_setting('max_connections')::int, rolconnlimit, "
        "(select datconnlimit from pg_database where datname = current_database()) "
        "from pg_roles where rolname = current_user"
    )
    limits = [limit for limit in cursor.fetchone() or () if limit >= 0]
    if limits and min(limits) < CONNECTIONS:
        words = f"at most {min(limits)}; Dagster and four runs at once need about {CONNECTIONS}"
        yield Tried("connections", "note", words)


def _mappings(cursor: Cursor) -> Tried:
    """With which rights the SQL of mappings is read."""
    if reads_as_reader(cursor):
        return Tried("mappings", "ok", f"read by {READER}, in transactions that only read")
    role = _role(cursor)
    words = f"read by {role} itself, in transactions that only read; `grant {READER} to {role}` bounds them further"
    return Tried("mappings", "ok", words)


def _writing(warehouse: Warehouse) -> Tried:
    """Create a schema, tables of every sort and a view, write, and take a lock; all of it is rolled back."""
    try:
        with warehouse.session() as session, session.cursor() as cursor:
            schema = PROBE
            if _value(cursor, "select has_database_privilege(current_database(), 'create')"):
                cursor.execute(f"create schema {PROBE}")
            else:
                cursor.execute(
                    "select nspname from pg_namespace where nspname = any(%s) and has_schema_privilege(oid, 'create') "
                    "limit 1",
                    (list(SCHEMAS),),
                )
                schema = str((cursor.fetchone() or ("cs",))[0])
            table = f"{schema}.{PROBE}"
            cursor.execute(f"create table {table} (id bigint generated always as identity primary key, word text)")
            cursor.execute(f"create unlogged table {table}_unlogged as select 1 as one")
            cursor.execute(f"create temporary table {PROBE}_temporary on commit drop as select 1 as one")
            cursor.execute(f"create view {table}_view as select word from {table}")
            cursor.execute(f"insert into {table} (word) values ('written')")
            cursor.execute(f"analyze {table}")
            has_lock = _value(cursor, f"select pg_try_advisory_xact_lock({AdvisoryLock.TRIAL.value})")
            session.rollback()
    except DatabaseRefusal as refusal:
        return Tried("trial", "wrong", str(refusal))
    if not has_lock:
        return Tried("trial", "note", "somebody else tries this database at the same moment")
    return Tried("trial", "ok", "creates schemas, tables and views, writes, takes locks (rolled back)")


def _role(cursor: Cursor) -> str:
    return str(_value(cursor, "select quote_ident(current_user)"))


def _value(cursor: Cursor, sql: str) -> object:
    cursor.execute(sql)
    row = cursor.fetchone()
    return row[0] if row else None
