"""Read today's facts of every customer, in slices that fit into memory.

For what is asked of all accounts once a week: which segments they are in, and whether a conversation is due.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.facts import query as facts
from cs_pipeline.plays.facts.query import AsOf

AT_A_TIME = 10_000  # accounts whose facts are held in memory together


def facts_of_customers(session: Session, as_of: AsOf) -> Iterator[pd.DataFrame]:
    """The facts of all accounts that have not left, AT_A_TIME of them in a frame, indexed by account id."""
    after = ""
    while accounts := _next_accounts(session, after, as_of):
        cases = pd.DataFrame({"account_id": accounts}).assign(
            case_id=range(len(accounts)), subject_id=None, trigger_id=None, anchor_on=None, since=as_of.now
        )
        yield facts.read(session, cases, as_of).set_axis(accounts)
        after = accounts[-1]


def this_monday(now: datetime) -> date:
    """The day on which the newest week that has ended did so."""
    today = now.date()
    return today - timedelta(days=today.weekday())


def _next_accounts(session: Session, after: str, as_of: AsOf) -> list[str]:
    with session.cursor() as cursor:
        cursor.execute(
            """
            select account_id
            from marts.dim_accounts
            where
                account_id > %(after)s
                and created_at <= %(now)s
                and coalesce(churned_at > %(now)s, true)
            order by account_id
            limit %(limit)s
            """,
            {"after": after, "now": as_of.now, "limit": AT_A_TIME},
        )
        return [account_id for (account_id,) in cursor.fetchall()]
