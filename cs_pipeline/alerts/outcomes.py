"""Outcomes: the book of accounts and what became of them, which rules are held against. Read only.

A departure is that of the backtest (`backtest.observations`): `churned_at`, or a last period that ended with no
successor within 30 days. Contraction and expansion are days on which the MRR of an account fell or rose and was above
zero before and after (as in `fct_mrr_movements`, by day instead of month). Onboarding is looked at 30 days after
signup, of accounts that have onboarding steps; a renewal on the day a base term ends, and it has happened where a
successor started within 30 days of it, or where the term renewed by itself and went on.
"""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from cs_pipeline.alerts.rule import OutcomeEvent
from cs_pipeline.backtest.observations import outcomes_of
from cs_pipeline.errors import UserError
from cs_pipeline.history.weeks import require_marts
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse

ONBOARDING_DAYS = 30
RENEWAL_DAYS = 30
EVENTS: dict[OutcomeEvent, tuple[str, ...]] = {
    "churn": ("churn",),
    "contraction": ("contraction",),
    "churn_or_contraction": ("churn", "contraction"),
    "expansion": ("expansion",),
    "onboarding_incomplete": ("onboarding_incomplete",),
    "renewal": ("renewal",),
    "none": (),
}
"""Which happenings count as an outcome."""
ON_OCCASION = ("onboarding_incomplete", "renewal")
"""Outcomes that only accounts with an occasion for them can have, such as a renewal date."""


@dataclass(frozen=True)
class Book:
    """All accounts, and what became of them as far as the marts know.

    accounts: account_id, account_name, owner_email, created_on, departs_on (missing while it is there), decided_until
    (until when it is decided whether it departed). happenings: account_id, event, happens_on, happened (False for an
    occasion that was missed). Days are datetime64.
    """

    accounts: pd.DataFrame
    happenings: pd.DataFrame
    known_until: date


def read_book(warehouse: Warehouse) -> Book:
    """The book as the marts have it. Raises UserError when the marts are not there, or hold no week."""
    require_marts(warehouse, "fct_account_weeks", "dim_accounts", "fct_subscription_terms")
    accounts = query(
        warehouse,
        f"""
        with outcomes as ({outcomes_of()})
        select
            accounts.account_id,
            accounts.account_name,
            accounts.owner_email,
            (accounts.created_at at time zone 'UTC')::date as created_on,
            outcomes.departs_on,
            least(outcomes.decided_until, outcomes.until_day) as decided_until,
            outcomes.until_day
        from marts.dim_accounts as accounts
        inner join outcomes on accounts.account_id = outcomes.account_id
        order by accounts.account_id
        """,
    )
    if accounts.empty or accounts["until_day"].isna().all():
        raise UserError("The marts hold no week yet: build them first, with `cs-pipeline backfill`")
    happenings = query(
        warehouse,
        read_sql(__file__, outcomes=outcomes_of()),
        (ONBOARDING_DAYS, RENEWAL_DAYS),
    )
    known_until = accounts["until_day"].iloc[0]
    days = ("created_on", "departs_on", "decided_until")
    return Book(
        accounts=accounts.drop(columns="until_day").assign(**{day: pd.to_datetime(accounts[day]) for day in days}),
        happenings=happenings.assign(
            happens_on=pd.to_datetime(happenings["happens_on"]), happened=happenings["happened"].astype(bool)
        ),
        known_until=known_until,
    )
