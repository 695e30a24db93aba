"""Say which accounts a rule speaks of: customers, and of these those of its audience.

Tables are named without a schema, as in `transition`.
"""

from datetime import datetime

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.plays.facts import query as facts
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks.conditions import Condition
from cs_pipeline.warehouse.relations import missing_relations

ACCOUNTS = "staging.stg_accounts"
NO_ACCOUNTS = "(select ''::text as account_id, null::timestamptz as churned_at where false)"
AT_A_TIME = 10_000  # accounts whose facts are held in memory together


def book(session: Session, as_of: datetime) -> int:
    """How many accounts are customers at a moment; 0 before the models are built."""
    if missing_relations(session, ACCOUNTS):
        return 0
    with session.cursor() as cursor:
        cursor.execute(
            f"select count(*)::integer from {ACCOUNTS} where created_at <= %(as_of)s "
            "and coalesce(churned_at > %(as_of)s, true)",
            {"as_of": as_of},
        )
        (accounts,) = cursor.fetchone() or (0,)
        return accounts


def keep_audience(session: Session, rule: Rule, as_of: AsOf) -> int:
    """Take rows out of alert_news whose account is none of the audience; returns how many."""
    if rule.audience is None:
        return 0
    removed, after = 0, ""
    with session.cursor() as cursor:
        while True:
            cursor.execute(
                """
                select distinct account_id from alert_news
                where account_id > %s and reopens is null order by 1 limit %s
                """,
                [after, AT_A_TIME],
            )
            accounts = [account_id for (account_id,) in cursor.fetchall()]
            if not accounts:
                return removed
            out = out_of(session, rule.audience, accounts, as_of)
            cursor.execute("delete from alert_news where account_id = any(%s::text[]) and reopens is null", [out])
            removed += cursor.rowcount
            after = accounts[-1]


def out_of(session: Session, audience: Condition, accounts: list[str], as_of: AsOf) -> list[str]:
    """Those of `accounts` that are none of the audience; at most AT_A_TIME are asked about."""
    cases = pd.DataFrame({"account_id": accounts}).assign(
        case_id=range(len(accounts)), subject_id=None, trigger_id=None, anchor_on=None, since=as_of.now
    )
    is_in = audience.holds(facts.read(session, cases, as_of))
    return cases["account_id"][~is_in].tolist()
