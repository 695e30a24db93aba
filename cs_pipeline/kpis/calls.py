"""Keep what CSMs themselves expect of a renewal: said, said anew, with who said it and why.

A call stands beside the forecasts of the weeks that end after it; earlier weeks stay as they were.
"""

from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.plays.facts.query import ask_marts

NEEDS = "Calls about renewals need"


@dataclass(frozen=True)
class Renewal:
    """A term and the day on which it renews."""

    subscription_id: str
    renewal_date: date


@dataclass(frozen=True)
class Call:
    """What a person expects; `likelihood` is 0 to 1."""

    likelihood: float
    reason: str
    called_by: str


def renewal_named(session: Session, name: str, now: datetime) -> Renewal:
    """The next undecided renewal of a subscription, or of an account where only one of its subscriptions has one.

    One whose date is past but that was neither signed nor lost is undecided too, and comes after what is ahead.
    Raises UserError where there is none, or an account has several.
    """
    found = ask_marts(session, _UNDECIDED, {"name": name, "today": now.date()}, who_needs=NEEDS)
    subscriptions = list(dict.fromkeys(found["subscription_id"]))
    if not subscriptions:
        raise UserError(f"No renewal of '{name}' is ahead; `cs-pipeline kpi forecast` has those of the next 92 days")
    if len(subscriptions) > 1 and name not in subscriptions:
        raise UserError(f"'{name}' has several renewals ahead; name one of {', '.join(subscriptions)}")
    chosen = name if name in subscriptions else subscriptions[0]
    return Renewal(chosen, found.loc[found["subscription_id"] == chosen, "renewal_date"].iloc[0])


def record_call(session: Session, renewal: Renewal, call: Call, now: datetime) -> None:
    """Write the call. Raises UserError for a likelihood that is none, or without a reason."""
    if not 0 <= call.likelihood <= 1:
        raise UserError(f"The likelihood is {100 * call.likelihood:g} %; expected 0 to 100")
    if not call.reason.strip():
        raise UserError("Say why: whoever sees both figures will wonder")
    with session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.renewal_calls (subscription_id, renewal_date, likelihood, reason, called_by, called_at)
            values (%s, %s, %s, %s, %s, %s)
            """,
            [
                renewal.subscription_id,
                renewal.renewal_date,
                call.likelihood,
                call.reason.strip(),
                call.called_by,
                now,
            ],
        )


def calls_about(session: Session, name: str) -> pd.DataFrame:
    """Every call about a subscription or an account, the newest first.

    Columns: subscription_id, renewal_date, likelihood, reason, called_by, called_at.
    """
    return ask_marts(session, _CALLS, {"name": name}, who_needs=NEEDS)


_UNDECIDED = """
select
    subscription_id,
    renewal_date
from marts.fct_renewals
where
    outcome = 'open'
    and %(name)s in (subscription_id, account_id)
order by renewal_date < %(today)s, renewal_date, subscription_id
"""
_CALLS = """
select
    calls.subscription_id,
    calls.renewal_date,
    calls.likelihood,
    calls.reason,
    calls.called_by,
    calls.called_at
from cs.renewal_calls as calls
where
    calls.subscription_id = %(name)s
    or calls.subscription_id in (select subscription_id from marts.fct_renewals where account_id = %(name)s)
order by calls.called_at desc, calls.call_id desc
"""
