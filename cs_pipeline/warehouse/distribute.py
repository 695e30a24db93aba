"""Spread the tables of a database over the servers of a Citus, and bring them back to one: one transaction a table.

Interrupted, either goes on where it stopped. Which table stands where is `layout`'s to say; what a load has to do
differently then is `spread`'s.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.warehouse.layout import (
    DISTRIBUTION_COLUMN,
    EVERYWHERE,
    MODEL_SCHEMAS,
    ON_COORDINATOR,
    PER_ACCOUNT,
    Place,
    distributed_tables,
    reference_tables,
)
from cs_pipeline.warehouse.spread import MARK, PLACED, place_table, places_of
from cs_pipeline.warehouse.spread_functions import make_functions

HOW = "docs/deploy.md says how a database becomes one of Citus"


@dataclass(frozen=True)
class Stand:
    """Where a table stands, where it belongs, and why there. `rows`: as it was analyzed last."""

    table: str
    kind: Place
    stands: Place
    rows: int
    why: str

    @property
    def is_there(self) -> bool:
        """Whether nothing is to be done."""
        return self.kind is self.stands


def plan(warehouse: Warehouse) -> list[Stand]:
    """Every table of ours, those that are spread in the order in which they are moved. Changes nothing, and needs no
    Citus.
    """
    with warehouse.session() as session, session.cursor() as cursor:
        return list(_stands(cursor))


def distribute(warehouse: Warehouse, tell: Callable[[Stand], None]) -> int:
    """Move every table to where it belongs; `tell` hears each before it is moved. How many were moved.

    Raises UserError on a server that is no Citus, or has no other server to spread over.
    """
    moved = 0
    with warehouse.session() as session, session.cursor() as cursor:
        _require_citus(cursor)
        cursor.execute(f"create or replace view {MARK} as select relation::text, place from ({PLACED}) as placed")
        cursor.execute(f"comment on view {MARK} is 'Tables that are spread over several servers; see docs/deploy.md.'")
    for stand in plan(warehouse):
        if stand.is_there:
            continue
        tell(stand)
        with warehouse.session() as session, session.cursor() as cursor:
            _drop_triggers(cursor, stand.table)
            place_table(cursor, stand.table, stand.kind)
            cursor.execute("select truncate_local_data_after_distributing_table(%s::regclass)", [stand.table])
        moved += 1
    with warehouse.session() as session, session.cursor() as cursor:
        make_functions(cursor, is_spread=True)
        _hand_out_functions(cursor)
    return moved


def undo(warehouse: Warehouse, tell: Callable[[Stand], None]) -> int:
    """Bring every table back to the coordinator; `tell` hears each before. How many were brought back.

    Raises UserError on a server that is no Citus.
    """
    brought = 0
    with warehouse.session() as session, session.cursor() as cursor:
        _require_citus(cursor)
    stands = [stand for stand in plan(warehouse) if stand.stands is not Place.LOCAL]
    for stand in sorted(stands, key=lambda each: each.stands is Place.REFERENCE):
        tell(stand)
        with warehouse.session() as session, session.cursor() as cursor:
            _bring_back(cursor, stand.table)
        brought += 1
    with warehouse.session() as session, session.cursor() as cursor:
        for table, column, parent in _FOREIGN_KEYS:
            _refer(cursor, table, column, parent)
        make_functions(cursor, is_spread=False)
        cursor.execute(f"drop view if exists {MARK}")
    return brought


_FOREIGN_KEYS = (
    ("cs.health_scores", "override_id", "cs.score_overrides"),
    ("cs.segment_members", "segment", "cs.segments"),
)
"""From distributed to reference tables. They are left out while tables are spread: with them Citus would write to one
shard after the other whenever a transaction touches both."""


def _require_citus(cursor: Cursor) -> None:
    cursor.execute("select exists (select from pg_extension where extname = 'citus')")
    if cursor.fetchone() == (False,):
        raise UserError(f"This database has no Citus, so there are no servers to spread its tables over; {HOW}.")
    cursor.execute("select count(*) filter (where shouldhaveshards), bool_or(groupid = 0) from pg_dist_node")
    servers, has_coordinator = cursor.fetchone() or (0, None)
    if not servers:
        raise UserError(f"This Citus has no server that takes shards: `select citus_add_node(…)` adds one; {HOW}.")
    if not has_coordinator:
        raise UserError(
            "This Citus does not know its own coordinator, which has the tables that stay local: "
            f"`select citus_set_coordinator_host('its name', its port)` says so; {HOW}."
        )


def _stands(cursor: Cursor) -> Iterator[Stand]:
    contract = read_contract()
    cursor.execute(
        f"select format('%%s.%%s', relnamespace::regnamespace, relname), {_ROWS.format('pg_class.oid')}, "
        "exists (select from pg_attribute where attrelid = pg_class.oid and attname = %s and not attisdropped) "
        "from pg_class where relkind in ('r', 'p') and not relispartition "
        "and relnamespace::regnamespace::text = any(%s) order by 1",
        (DISTRIBUTION_COLUMN, ["raw", "cs", *MODEL_SCHEMAS]),
    )
    found = {table: (rows, has_account) for table, rows, has_account in cursor.fetchall()}
    placed = places_of(cursor)
    wanted: dict[str, tuple[Place, str]] = {}
    for table in reference_tables(contract):
        wanted[table] = (Place.REFERENCE, EVERYWHERE.get(table, "about no account, joined with what is, and small"))
    for table in distributed_tables(contract):
        wanted[table] = (Place.DISTRIBUTED, PER_ACCOUNT.get(table, "what was loaded, by account"))
    for table, (_, has_account) in found.items():
        if table.partition(".")[0] in MODEL_SCHEMAS:
            per_account = (Place.DISTRIBUTED, "built by dbt, by account")
            wanted[table] = per_account if has_account else (Place.LOCAL, "built by dbt, sums over all accounts")
    for table in [*wanted, *(each for each in found if each not in wanted)]:
        if table in found:
            kind, why = wanted.get(table, (Place.LOCAL, ON_COORDINATOR))
            stands = placed.get(table, Place.LOCAL)
            rows = found[table][0] if stands is Place.LOCAL else _rows_of_shards(cursor, table, stands)
            yield Stand(table, kind, stands, rows, why)


_ROWS = (
    "(select sum(greatest(reltuples, 0))::bigint from pg_class as part where part.oid = {0} "
    "or part.oid in (select inhrelid from pg_inherits where inhparent = {0}))"
)
"""SQL: how many rows a table has, with its partitions, as they were analyzed last."""


def _rows_of_shards(cursor: Cursor, table: str, place: Place) -> int:
    """As the servers analyzed their shards last, or copies, of which one is asked."""
    cursor.execute(
        f"select {'max' if place is Place.REFERENCE else 'sum'}(result::bigint) "
        "from run_command_on_shards(%s::regclass, %s) where success",
        [table, f"select {_ROWS.format('shard.oid')} from (select '%s'::regclass::oid) as shard (oid)"],
    )
    (rows,) = cursor.fetchone() or (0,)
    return int(rows or 0)


def _hand_out_functions(cursor: Cursor) -> None:
    """Give the servers the functions of ours that statements about spread tables call."""
    cursor.execute(
        "select oid::regprocedure::text from pg_proc where pronamespace = 'cs'::regnamespace and prokind = 'f' "
        "and prorettype <> 'trigger'::regtype and not exists (select from pg_depend where objid = pg_proc.oid "
        "and classid = 'pg_proc'::regclass and deptype = 'e') order by 1"
    )
    for (function,) in cursor.fetchall():
        cursor.execute("select create_distributed_function(%s)", [function])


def _drop_triggers(cursor: Cursor, table: str) -> None:
    """Of ours, and foreign keys to reference tables: a load does what the triggers do where tables are spread."""
    cursor.execute(
        "select format('drop trigger %%I on %%s', tgname, tgrelid::regclass) from pg_trigger "
        "where tgrelid = %s::regclass and not tgisinternal union all "
        "select format('alter table %%s drop constraint %%I', conrelid::regclass, conname) from pg_constraint "
        "where contype = 'f' and (conrelid = %s::regclass or confrelid = %s::regclass)",
        (table, table, table),
    )
    for (statement,) in cursor.fetchall():
        cursor.execute(statement)


def _refer(cursor: Cursor, table: str, column: str, parent: str) -> None:
    cursor.execute(
        "select exists (select from pg_constraint where contype = 'f' and conrelid = %s::regclass "
        "and confrelid = %s::regclass)",
        (table, parent),
    )
    if cursor.fetchone() == (False,):
        cursor.execute(f"alter table {table} add foreign key ({column}) references {parent}")


def _bring_back(cursor: Cursor, table: str) -> None:
    cursor.execute(
        "select attname, pg_get_serial_sequence(%s, attname) from pg_attribute "
        "where attrelid = %s::regclass and attidentity <> '' and not attisdropped",
        (table, table),
    )
    identity = cursor.fetchone()
    if identity is None:
        cursor.execute("select undistribute_table(%s::regclass)", [table])
    else:
        _copy_back(cursor, table, *identity)
    _watch(cursor, table)


def _copy_back(cursor: Cursor, table: str, column: str, sequence: str) -> None:
    """What `undistribute_table` refuses to do for a table that counts its rows."""
    name = table.partition(".")[2]
    cursor.execute(f"select last_value, is_called from {sequence}")
    last, is_called = cursor.fetchone() or (1, False)
    cursor.execute(
        "select format('alter table %%s add constraint %%I %%s', %(table)s, conname, pg_get_constraintdef(oid)) "
        "from pg_constraint where conrelid = %(table)s::regclass union all "
        "select pg_get_indexdef(indexrelid) from pg_index where indrelid = %(table)s::regclass "
        "and not exists (select from pg_constraint where conindid = indexrelid and conrelid = indrelid)",
        {"table": table},
    )
    with_their_names = [statement for (statement,) in cursor.fetchall()]
    cursor.execute(f"create table {table}_back (like {table} including all excluding indexes excluding constraints)")
    cursor.execute(f"insert into {table}_back overriding system value select * from {table}")
    cursor.execute(f"drop table {table}")
    cursor.execute(f"alter table {table}_back rename to {name}")
    for statement in with_their_names:
        cursor.execute(statement)
    cursor.execute("select setval(pg_get_serial_sequence(%s, %s), %s, %s)", (table, column, last, is_called))
    cursor.execute("select pg_get_serial_sequence(%s, %s)", (table, column))
    (counts,) = cursor.fetchone() or (sequence,)
    cursor.execute(f"alter sequence {counts} rename to {sequence.partition('.')[2]}")


def _watch(cursor: Cursor, relation: str) -> None:
    """Give a table of the contract its triggers again."""
    for table in read_contract().tables.values():
        if table.relation == relation:
            table.watch(cursor)
