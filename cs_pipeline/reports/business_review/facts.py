"""Read what a business review is about: one account over some months, with what was known at their end.

Nothing of ours is read that a customer should not see: no score, no alert, no play.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.plays.facts.query import ask_marts
from cs_pipeline.sql_files import read_sql

Row = Mapping[Hashable, Any]


@dataclass(frozen=True)
class Review:
    """The facts of a review over `first` up to, without, `end`.

    - `account`: a row of `facts.account.sql`;
    - `weeks`: week, active_users_7d, active_users_30d, seats, logins_7d, feature_adoption_ratio;
    - `features`: feature, is_core, uses, uses_before (in as many months before), those used most first;
    - `value`: month, kind, amount in the reporting currency; `value_before`: all of as many months before;
    - `feedback`: kind, told_on, settled_on, body; `tickets`: month, opened, resolved;
    - `hours_to_answer`: the median of the period's tickets; None where none was answered;
    - `open_tickets`: subject, priority, opened_on; `launches`: feature, launched_on.
    """

    account: Row
    first: date
    end: date
    weeks: pd.DataFrame
    features: pd.DataFrame
    value: pd.DataFrame
    value_before: float
    feedback: pd.DataFrame
    tickets: pd.DataFrame
    hours_to_answer: float | None
    open_tickets: pd.DataFrame
    launches: pd.DataFrame


def read_review(session: Session, account: str, end: date, months: int) -> Review:
    """The review of an account (its id or exact name) over the `months` before `end`.

    Raises UserError while the marts are not built, or where there was no such account.
    """
    first, before = months_before(end, months), months_before(end, 2 * months)
    parameters: dict[str, object] = {
        "account": account,
        "first": first,
        "before": before,
        "as_of": datetime.combine(end, time(), UTC),
    }

    def ask(sql: str) -> pd.DataFrame:
        return ask_marts(session, sql, parameters, who_needs="Business reviews and value reports need")

    rows = ask(read_sql(__file__, "account")).to_dict("records")
    if not rows:
        raise UserError(f"There was no account '{account}' before {end}; give the id of an account, or its exact name")
    (row,) = rows
    parameters |= {"account": row["account_id"], "tier": row["tier"]}
    tickets = ask(read_sql(__file__, "tickets"))
    of_all = tickets["month"].isna()
    return Review(
        account=row,
        first=first,
        end=end,
        weeks=ask(read_sql(__file__, "weeks")),
        features=ask(read_sql(__file__, "features")),
        value=ask(read_sql(__file__, "value")),
        value_before=float(ask(read_sql(__file__, "value_before"))["amount"].iloc[0]),
        feedback=ask(read_sql(__file__, "feedback")),
        tickets=tickets[~of_all],
        hours_to_answer=tickets.loc[of_all, "hours_to_answer"].iloc[0],
        open_tickets=ask(read_sql(__file__, "open_tickets")),
        launches=ask(read_sql(__file__, "launches")),
    )


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last."""
    return (pd.Timestamp(day) - pd.DateOffset(months=months)).date()
