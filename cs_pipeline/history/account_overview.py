"""Write `cs.account_overview` anew: one row an account as of the newest scored week.

It repeats what scores, changes and marts hold, in the one shape that lists of accounts can be searched and sorted in.
"""

from psycopg2.extensions import connection as Session

from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.advisory_locks import AdvisoryLock, take_lock
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.relations import missing_relations


def write_overview(warehouse: Warehouse) -> int:
    """Write all rows in one transaction: readers see the old ones until it ends. Returns how many there are."""
    with warehouse.session() as session, session.cursor() as cursor:
        take_lock(cursor, AdvisoryLock.ACCOUNT_OVERVIEW)
        cursor.execute("delete from cs.account_overview; delete from cs.account_overview_values")
        cursor.execute(read_sql(__file__))
        count = cursor.rowcount
        cursor.execute(read_sql(__file__, "values"))
        cursor.execute("analyze cs.account_overview")
        return count


def is_behind(session: Session) -> bool:
    """Whether there is a newer scored week, as where a database was scored before there was this table."""
    if missing_relations(session, "marts.fct_account_weeks"):
        return False
    with session.cursor() as cursor:
        cursor.execute(
            """
            select
                newest.week is not null
                and newest.week > coalesce((select week from cs.account_overview limit 1), '-infinity')  -- noqa: AM09
            from (select max(week) as week from cs.scored_weeks) as newest
            """
        )
        return cursor.fetchone() == (True,)
