"""Take over what became of our mails into `raw.email_events`, as the source contract has it, so that scores see it.

A load like any other: it waits for one that is at work, has an id, and what is malformed is a reject with its reason.
Events of mails that are not ours stay where they were kept.
"""

from datetime import datetime, timedelta

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.plays.playbooks.schema import CUSTOMER_ROLES
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import SourceTable, exists, read_contract
from cs_pipeline.warehouse.incoming import begin_load, prepare
from cs_pipeline.warehouse.kept_rejects import MOST_KEPT
from cs_pipeline.warehouse.layout import place_of_source
from cs_pipeline.warehouse.load import finish_loads
from cs_pipeline.warehouse.spread import is_spread, place_table

TABLE = "email_events"
ORIGIN = "SendGrid's event webhook"
REJECTS_SHOWN = timedelta(days=90)


def take_over(warehouse: Warehouse, now: datetime) -> int:
    """Take over what is new; returns how many rows of `raw.email_events` it made. Without accounts nothing is done."""
    contract = read_contract()
    table = contract.tables[TABLE]
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select exists (select from cs.sendgrid_events where load_id is null)")
        if cursor.fetchone() == (False,) or not exists(cursor, contract.tables["accounts"]):
            return 0
        prepare(cursor)
        load_id = begin_load(cursor, TABLE, ORIGIN)
        if not exists(cursor, table):
            _create(cursor, table)
        elif not _is_whole(cursor, table):
            table.create(cursor)
        cursor.execute(read_sql(__file__), {"load": load_id, "roles": list(CUSTOMER_ROLES)})
        taken, written = cursor.fetchone() or (0, 0)
        _put_aside(cursor, load_id, now)
        finish_loads(cursor, table, {load_id: taken}, written)
    return written


def _create(cursor: Cursor, table: SourceTable) -> None:
    spread = is_spread(cursor)
    table.create(cursor)
    table.create_indexes(cursor, is_spread=spread)
    if spread:
        place_table(cursor, table.relation, place_of_source(table))


def _is_whole(cursor: Cursor, table: SourceTable) -> bool:
    """Whether it has every column, so that no lock is needed to add one."""
    cursor.execute(
        "select array_agg(attname::text) from pg_attribute where attrelid = %s::regclass and not attisdropped",
        [table.relation],
    )
    ((names,),) = cursor.fetchall()
    return set(table.column_names) <= set(names)


def _put_aside(cursor: Cursor, load_id: int, now: datetime) -> None:
    """Write what was malformed lately to the rejects: those of an origin are what it last had."""
    cursor.execute(
        """
        insert into raw.raw_rejects (load_id, source_table, origin, reason, row_data)
        select
            %(load)s, %(table)s, %(origin)s, problem,
            case jsonb_typeof(body) when 'object' then body else jsonb_build_object('body', body) end
        from cs.sendgrid_events
        where problem is not null and received_at > %(since)s
        order by received_at desc, event_key
        limit %(most)s
        """,
        {"load": load_id, "table": TABLE, "origin": ORIGIN, "since": now - REJECTS_SHOWN, "most": MOST_KEPT},
    )
