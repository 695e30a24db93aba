"""Partitions for rows that a test writes by hand, which a load would have made."""

from collections.abc import Iterable
from datetime import datetime

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.contract import SourceTable, read_contract
from cs_pipeline.warehouse.months import Month, make_months, month_of

EVENTS = read_contract().tables["events"]


def have_months(cursor: Cursor, moments: Iterable[datetime | str], table: SourceTable = EVENTS) -> list[Month]:
    """The months of those moments, made where they are missing; none of a table that is not kept by month."""
    if not table.by_month:
        return []
    cursor.execute(
        "select distinct (moment at time zone 'UTC')::date from unnest(%s::text[]::timestamptz[]) as moments (moment) "
        "order by 1",
        [[str(moment) for moment in moments]],
    )
    months = list(dict.fromkeys(month_of(day) for (day,) in cursor.fetchall()))
    make_months(cursor, table, months)
    return months
