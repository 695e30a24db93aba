"""Read the source contract, and create the tables it asks for in schema `raw`.

The contract itself is dbt's sources file, so that it is written down once; this module reads it and turns a table into
DDL. Checking rows against it belongs to `validation`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.dbt_files import DBT_PROJECT, read_properties
from cs_pipeline.errors import UserError

SOURCES_FILE = DBT_PROJECT / "models" / "staging" / "_sources.yml"
SCHEMA = "raw"
ACCOUNT = "account_id"
LOADED_AT = "_loaded_at"
LOAD_ID = "_load_id"
TYPES = ("text", "timestamptz", "date", "boolean", "integer", "double precision")
FORMATS = (None, "email", "timezone", "country")
_SAYS = "where event in ('unsubscribe', 'bounce', 'spam', 'subscribe')"
CONSENT_INDEXES = {
    "users": (f"create index if not exists users_by_mailbox on {SCHEMA}.users (cs.address_of(email))",),
    "email_events": (
        "create index if not exists email_events_of_consent_by_mailbox "
        f"on {SCHEMA}.email_events (cs.address_of(email)) {_SAYS}",
        f"create index if not exists email_events_of_consent_by_user on {SCHEMA}.email_events (user_id) {_SAYS}",
    ),
}
"""By which `cs.refused_addresses` finds who wants no mail, by table."""
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Column:
    """A column of the contract. `minimum`, `maximum`, `at_most` (another column of the row), `not_before` (another date
    of it), `accepted_values`, `format` (one of FORMATS) and `references` (a table whose key the value must be) are the
    rules its values keep; an empty value breaks only `required`. `empty_says`: an empty value is a statement of its
    own, such as "still open".
    """

    name: str
    data_type: str
    description: str
    required: bool = False
    accepted_values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    at_most: str | None = None
    format: str | None = None
    not_before: str | None = None
    references: str | None = None
    empty_says: bool = False


@dataclass(frozen=True)
class SourceTable:
    """A canonical table. `key`: what tells its rows apart, over all accounts. `required`: the pipeline cannot run
    without it. `append_only`: its rows never change.
    `rolled_up`: the pipeline keeps sums of its rows by day, and hears of days from which rows move away.
    `by_month`: it is kept as a partition a month of its event time (`months`).
    `fresh_within`: after so long without a load it has missed one; None where that is up to who reads it.
    """

    name: str
    description: str
    key: tuple[str, ...]
    required: bool
    append_only: bool
    rolled_up: bool
    by_month: bool
    columns: tuple[Column, ...]
    fresh_within: timedelta | None = None

    @property
    def relation(self) -> str:
        """Its name in SQL."""
        return f"{SCHEMA}.{self.name}"

    def can_lose(self, column: Column) -> bool:
        """True when a row is worth keeping without this value: it may be empty, and empty says only "not known"."""
        return not (column.required or column.empty_says or column.name in self.key)

    @property
    def stored_key(self) -> tuple[str, ...]:
        """The columns of its primary key: the key, then the place, so that a row is still found by its key alone. That
        a key is in one place only is kept by loads (`moved_rows`).
        """
        return (*self.key, *self.place)

    @property
    def place(self) -> tuple[str, ...]:
        """The columns that say where a row is kept: its account, so that the table can be cut by account (`layout`),
        and its time where it is kept by month.
        """
        account = (ACCOUNT,) if ACCOUNT in self.column_names and ACCOUNT not in self.key else ()
        return (*account, self.event_time) if self.by_month else account

    @property
    def can_move(self) -> bool:
        """Whether a row that comes again may be kept at another place."""
        return bool(self.place)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The contract's columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def parents(self) -> frozenset[str]:
        """The tables its columns refer to."""
        return frozenset(column.references for column in self.columns if column.references)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError where there is none."""
        return {column.name: column for column in self.columns}[name]

    def create(self, cursor: Cursor) -> bool:
        """Create the table without key or indexes, or add the columns it lacks; True when it is new.

        Call `create_indexes` after the first rows are in: a key built at the end costs a third.
        """
        if not exists(cursor, self):
            lines = [f"{column.name} {column.data_type}{' not null' * column.required}" for column in self.columns]
            kept = f" partition by range ({self.event_time})" if self.by_month else ""
            cursor.execute(f"create table {self.relation} ({', '.join(lines)}, {LOAD_ID} bigint not null){kept}")
            cursor.execute(f"comment on table {self.relation} is %s", (self.description,))
            return True
        cursor.execute("select attname from pg_attribute where attrelid = %s::regclass", (self.relation,))
        there = {name for (name,) in cursor.fetchall()}
        for column in self.columns:
            if column.name not in there:  # asked first: each is a command to every shard of a table that is spread
                cursor.execute(f"alter table {self.relation} add column {column.name} {column.data_type}")
        return False

    def create_indexes(self, cursor: Cursor, *, is_spread: bool = False) -> None:
        """Primary key, and what incremental models and joins need: indexes, and word of rows that move away
        or lose what alert rules ask about the past. `is_spread`: over several servers, where loads keep that word."""
        brin = " with (autosummarize = on)" if is_spread else ""  # no load can ask another server to
        cursor.execute(f"alter table {self.relation} add primary key ({', '.join(self.stored_key)})")
        cursor.execute(f"create index on {self.relation} using brin ({LOAD_ID}){brin}")
        if self.append_only:
            cursor.execute(f"create index on {self.relation} using brin ({self.event_time}){brin}")
        elif ACCOUNT in self.column_names and self.key[0] != ACCOUNT:
            cursor.execute(f"create index on {self.relation} ({ACCOUNT})")
        for index in CONSENT_INDEXES.get(self.name, ()):
            cursor.execute(index)
        if not is_spread:
            self.watch(cursor)

    def watch(self, cursor: Cursor) -> None:
        """Keep word of rows that move away, or lose what alert rules ask about the past."""
        if self.rolled_up:
            watched = (self.relation, self.event_time, ", ".join(self.key))
            cursor.execute("select cs.watch_touched_days(%s, %s, %s)", watched)
        if self.name == "users":
            cursor.execute("select cs.watch_onboarding_stages(%s)", (self.relation,))

    @property
    def event_time(self) -> str:
        """The column that says when a row happened, or began."""
        return next(c.name for c in self.columns if c.required and c.data_type in ("timestamptz", "date"))


@dataclass(frozen=True)
class Contract:
    """All canonical tables, by name."""

    tables: Mapping[str, SourceTable]

    def in_load_order(self) -> Iterator[SourceTable]:
        """Every table, after those it refers to."""
        waiting, done = dict(self.tables), set[str]()
        while waiting:
            ready = [name for name, table in waiting.items() if table.parents <= done]
            for name in ready:
                yield waiting.pop(name)
            done.update(ready)


def exists(cursor: Cursor, table: SourceTable) -> bool:
    """True when the table is in the warehouse; an absent optional table is one that is not."""
    cursor.execute("select to_regclass(%s) is not null", (table.relation,))
    row = cursor.fetchone()
    return bool(row and row[0])


@lru_cache(maxsize=1)
def read_contract(path: Path = SOURCES_FILE) -> Contract:
    """The contract of `path`. Raises UserError when the file is absent or says something a loader cannot keep."""
    try:
        document = read_properties(path)
    except FileNotFoundError:
        raise UserError(f"The source contract is not at {path}: the folder dbt_project belongs to the code.") from None
    (source,) = (source for source in document["sources"] if source["name"] == SCHEMA)
    tables = {table["name"]: _table(table) for table in source["tables"]}
    for table in tables.values():
        _check(table, tables, path)
    return Contract(tables)


def _table(entry: dict[str, Any]) -> SourceTable:
    meta = entry["config"]["meta"]
    return SourceTable(
        name=entry["name"],
        description=entry["description"],
        key=tuple(meta["key"]),
        required=meta["required"],
        append_only=meta["append_only"],
        rolled_up=meta.get("rolled_up", False),
        by_month=meta.get("by_month", False),
        columns=tuple(_column(column) for column in entry["columns"]),
        fresh_within=_fresh_within(entry["config"].get("freshness")),
    )


def _fresh_within(freshness: Mapping[str, Any] | None) -> timedelta | None:
    """When dbt warns, as a span."""
    if not freshness:
        return None
    warns = freshness["warn_after"]
    return timedelta(**{f"{warns['period']}s": warns["count"]})


def _column(entry: dict[str, Any]) -> Column:
    meta = entry.get("config", {}).get("meta", {})
    return Column(
        name=entry["name"],
        data_type=entry["data_type"],
        description=entry["description"],
        required=meta.get("required", False),
        accepted_values=tuple(meta.get("accepted_values", ())),
        minimum=meta.get("minimum"),
        maximum=meta.get("maximum"),
        at_most=meta.get("at_most"),
        format=meta.get("format"),
        not_before=meta.get("not_before"),
        references=meta.get("references"),
        empty_says=meta.get("empty_says", False),
    )


def _check(table: SourceTable, tables: Mapping[str, SourceTable], path: Path) -> None:
    """Hold the file to what DDL and checks rely on; names go into SQL as they stand."""
    for name in (table.name, *table.column_names):
        if not _IDENTIFIER.fullmatch(name):
            raise UserError(f"{path}: {table.name}: {name!r} is no plain lower-case name.")
    for column in table.columns:
        where = f"{path}: {table.name}.{column.name}"
        if column.data_type not in TYPES:
            raise UserError(f"{where}: type {column.data_type!r} is not one of {', '.join(TYPES)}.")
        if column.format not in FORMATS:
            raise UserError(f"{where}: format {column.format!r} is none of email, timezone, country.")
        if column.at_most and column.at_most not in table.column_names:
            raise UserError(f"{where}: at_most {column.at_most!r} is not a column of {table.name}.")
        if column.not_before and {column.data_type, table.column(column.not_before).data_type} != {"date"}:
            raise UserError(f"{where}: it and {column.not_before}, which it is not before, must both be dates.")
        if column.references and tables[column.references].key != (column.name,):
            raise UserError(f"{where}: {column.references} is not a table with the key {column.name}.")
    if not all(table.column(name).required and table.column(name).data_type == "text" for name in table.key):
        raise UserError(f"{path}: {table.name}: every column of the key must be required text.")
