"""Forget a person in the rows that were loaded: canonical tables, rejected rows, and rows as they came."""

from collections.abc import Mapping
from datetime import datetime

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.privacy.person import Person, change, tables_of
from cs_pipeline.warehouse.schemas import LANDING

WORDS: Mapping[str, str] = {"tickets": "subject", "feedback": "body", "survey_responses": "comment"}
"""Columns of source tables in which a user speaks, by table."""
_KEYS = {"tickets": "ticket_id", "feedback": "feedback_id", "survey_responses": "response_id"}
"""Keys of the tables in WORDS."""


def entities_of(cursor: Cursor, person: Person) -> list[str]:
    """Ids of the person and of what they wrote: what alerts, and feedback that was handed on, are about."""
    about = [
        sql.SQL("select {} from {} where user_id = any(%(user_ids)s::text[])").format(
            sql.Identifier(_KEYS[table]), sql.Identifier("raw", table)
        )
        for table in sorted(tables_of(cursor, "raw", list(WORDS)))
    ]
    cursor.execute(
        sql.SQL(" union all ").join([sql.SQL("select unnest(%(user_ids)s::text[])"), *about]), person.parameters
    )
    return [row[0] for row in cursor.fetchall()]


def forget_source_rows(cursor: Cursor, person: Person, now: datetime) -> dict[str, int]:
    """Empty what source rows say of the person; returns how many rows were changed, by table."""
    counts: dict[str, int] = {}
    tables = tables_of(cursor, "raw", ["users", "email_events", *WORDS])
    if "users" in tables:
        counts["raw.users"] = change(
            cursor,
            "update raw.users set email = null, full_name = null, timezone = null, "
            "unsubscribed_at = coalesce(unsubscribed_at, %(now)s) where user_id = any(%(user_ids)s::text[]) "
            "and (email is not null or full_name is not null)",
            person,
            now=now,
        )
    if "email_events" in tables:
        counts["raw.email_events"] = change(
            cursor,
            "update raw.email_events set email = null where email is not null "
            "and (user_id = any(%(user_ids)s::text[]) or lower(email) = any(%(addresses)s::text[]))",
            person,
        )
    for table, column in WORDS.items():
        if table in tables:
            counts[f"raw.{table}"] = change(
                cursor,
                sql.SQL(
                    "update {} set {column} = null where user_id = any(%(user_ids)s::text[]) and {column} is not null"
                ).format(sql.Identifier("raw", table), column=sql.Identifier(column)),
                person,
            )
    counts["raw.raw_rejects"] = change(
        cursor,
        "update raw.raw_rejects set row_data = '{}' "
        "where row_data ->> 'user_id' = any(%(user_ids)s::text[]) or row_data::text ~* %(pattern)s",
        person,
    )
    cursor.execute(
        """
        select
            columns.table_schema,
            columns.table_name,
            jsonb_object_agg(columns.column_name, columns.is_nullable = 'YES')
        from information_schema.columns
        inner join information_schema.tables using (table_schema, table_name)
        where
            (columns.table_schema = %(landing)s or starts_with(columns.table_schema, %(landing)s || '_'))
            and columns.data_type in ('text', 'character varying')
            and tables.table_type = 'BASE TABLE'
        group by columns.table_schema, columns.table_name
        """,
        {"landing": LANDING},
    )
    for schema, table, columns in cursor.fetchall():
        counts[f"{schema}.{table}"] = _forget_landed(cursor, sql.Identifier(schema, table), columns, person)
    return counts


def _forget_landed(cursor: Cursor, table: sql.Identifier, columns: Mapping[str, bool], person: Person) -> int:
    """Rows as they came, whose columns mean what their owner knows: every value that is an address or a name goes.
    `columns`: whether each may be null.
    """
    whole = sql.SQL("%(whole)s")
    changes = [
        sql.SQL("{0} = case when {0} ~* {1} then {2} else {0} end").format(
            sql.Identifier(column), whole, sql.SQL("null" if may_be_null else "''")
        )
        for column, may_be_null in columns.items()
    ]
    matches = [sql.SQL("{} ~* {}").format(sql.Identifier(column), whole) for column in columns]
    return change(
        cursor,
        sql.SQL("update {} set {} where {}").format(table, sql.SQL(", ").join(changes), sql.SQL(" or ").join(matches)),
        person,
        whole=f"^\\s*({person.pattern})\\s*$",
    )
