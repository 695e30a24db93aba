"""Have the account in the primary key of every table that may be cut by account, behind what was the key.

An index over a billion events takes hours, so they are built before the transaction of the migrations, one after the
other and while rows are written; whoever is interrupted keeps those that are whole. The transaction then only names
them as keys, which is a matter of moments.
"""

import logging
from pathlib import Path
from typing import Any

from alembic import op
from psycopg2.extensions import connection as Session
from psycopg2.extensions import cursor as Cursor

revision = "0046"
down_revision = "0045"

SQL = Path(__file__).with_suffix(".sql")
RAW = """
    users subscriptions events invoices tickets survey_responses touchpoints email_events event_attendance feedback
    value_log referrals orders cancellation_requests integrations customer_references case_studies certifications
"""
TABLES = [*(f"raw.{name}" for name in RAW.split()), "cs.renewal_windows", "cs.renewal_forecasts"]
LACKING = """
    select
        key.conrelid::regclass::text,
        key.conname,
        (
            select string_agg(quote_ident(attname), ', ' order by array_position(key.conkey, attnum))
            from pg_attribute
            where attrelid = key.conrelid and attnum = any(key.conkey)
        ) || ', account_id',
        stored.relname || '_key_by_account',
        stored.relnamespace::regnamespace::text,
        pg_size_pretty(pg_table_size(stored.oid))
    from pg_constraint as key
    inner join pg_class as stored on key.conrelid = stored.oid
    inner join pg_attribute as account on stored.oid = account.attrelid and account.attname = 'account_id'
    where
        key.contype = 'p'
        and key.conrelid = any(select to_regclass(name) from unnest(%s::text[]) as names (name))
        and account.attnum <> all(key.conkey)
    order by pg_table_size(stored.oid), 1
"""
"""Relation, its key, the columns of the key it is to have, the name of that key's index, its schema, its size."""

log = logging.getLogger("cs_pipeline.warehouse.migrations")


def prepare(session: Session) -> None:
    """Build the indexes; one that was interrupted is begun again."""
    with session.cursor() as cursor:
        cursor.execute("set maintenance_work_mem = '512MB'")
        cursor.execute(LACKING, [TABLES])
        for relation, _, columns, index, schema, size in cursor.fetchall():
            is_whole = _is_whole(cursor, f"{schema}.{index}")
            if is_whole is False:
                cursor.execute(f"drop index concurrently {schema}.{index}")
            if not is_whole:
                log.info("indexing %s (%s) by its new key", relation, size)
                cursor.execute(f"create unique index concurrently {index} on {relation} ({columns})")


def upgrade() -> None:
    """Put the keys in their place. A table that was made since, or is made in this transaction, has few rows."""
    op.get_bind().exec_driver_sql(SQL.read_text(), execution_options={"no_parameters": True})
    raw_connection: Any = op.get_bind().connection.driver_connection
    with raw_connection.cursor() as cursor:
        cursor.execute(LACKING, [TABLES])
        for relation, key, columns, index, schema, _ in cursor.fetchall():
            built = f"using index {index}" if _is_whole(cursor, f"{schema}.{index}") else f"({columns})"
            cursor.execute(f"alter table {relation} drop constraint {key}, add constraint {key} primary key {built}")


def _is_whole(cursor: Cursor, index: str) -> bool | None:
    """Whether the index can be used; None where there is none."""
    cursor.execute("select indisvalid from pg_index where indexrelid = to_regclass(%s)", [index])
    found: tuple[bool] | None = cursor.fetchone()
    return found and found[0]


def downgrade() -> None:
    """Not offered, as for the versions before."""
    raise NotImplementedError("the cs schema holds history; restore a backup instead of downgrading")
