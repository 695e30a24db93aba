"""Companies of a few dozen accounts as marts, with departures of a test's own making."""

import functools
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import Row, insert, week

WEEKS = 60
LEAVERS, STAYERS = 60, 120
MONTHS = [date(2023, month, 1) for month in (2, 5, 8)]


def add_account(
    warehouse: Warehouse,
    account: str,
    *,
    weeks: range,
    leaves_on: date | None = None,
    renews_on: Sequence[date] = (),
    ends_on: date | None = None,
) -> None:
    """An account that the marts have in `weeks`, with terms renewed on these days; the last is open, or ends."""
    insert(warehouse, "dim_accounts", [{"account_id": account, "churned_at": leaves_on}])
    values = [{"account_id": account, "week": week(number), "seat_utilisation": number / 100} for number in weeks]
    insert(warehouse, "fct_account_weeks", values)
    starts = [week(0) - timedelta(days=400), *renews_on]
    terms = [
        {
            "subscription_id": f"{account}-{start}", "account_id": account, "started_on": start,
            "ended_on": renewed or ends_on, "renews_on": renewed, "successor_started_on": renewed,
            "renewal_type": "manual", "is_trial": False, "is_addon": False,
        }
        for start, renewed in zip(starts, [*renews_on, None], strict=True)
    ]  # fmt: skip
    insert(warehouse, "fct_subscription_terms", terms)


def add_company(warehouse: Warehouse, telltale: str = "", flatters: float = 0.0) -> None:
    """Accounts of which a third leaves, using less and less in their last 12 weeks.

    `telltale` is a metric that is 1 from 8 weeks before an account leaves, and 0 otherwise. `flatters` is the share of
    observations, at random, in which it is 0 all the same.
    """
    accounts, weeks = _company(telltale, flatters)
    insert(warehouse, "dim_accounts", accounts)
    insert(warehouse, "fct_account_weeks", weeks)


@functools.cache
def _company(telltale: str, flatters: float) -> tuple[Sequence[Row], Sequence[Row]]:
    """Accounts, and their weeks."""
    random = np.random.default_rng(5)
    accounts = LEAVERS + STAYERS
    leaves_in = np.where(np.arange(accounts) < LEAVERS, random.integers(10, WEEKS - 1, accounts), WEEKS + 99)
    names = [f"a{number:03}" for number in range(accounts)]
    known: list[Row] = [
        {"account_id": name, "churned_at": week(int(left)) + timedelta(days=2) if left < WEEKS else None}
        for name, left in zip(names, leaves_in, strict=True)
    ]
    rows: list[Row] = []
    for number in range(WEEKS):
        use = np.clip(random.normal(0.8, 0.2, accounts) - 0.05 * np.clip(12 - (leaves_in - number), 0, 12), 0, 1)
        told = (leaves_in - number <= 8) & (random.random(accounts) >= flatters)
        rows += [
            {
                "account_id": names[each], "week": week(number), "tier": ("starter", "pro")[each % 2],
                "cohort_month": MONTHS[each % 3], "tenure_days": float(7 * number + each % 50),
                "seat_utilisation": float(use[each]), "core_features_used": float(round(4 * use[each])),
                "logged_in_7d": float(use[each] > 0.3), "attended_training_ever": float(each % 2),
                "worst_open_ticket": float(random.random() < 0.1), "nps_response": float(random.integers(0, 11)),
                "days_to_renewal": float(random.integers(0, 365)), "opened_last_3_emails": float(random.random() < 0.5),
                **({telltale: float(told[each])} if telltale else {}),
            }
            for each in np.flatnonzero(leaves_in > number)
        ]  # fmt: skip
    return known, rows


def score_all(warehouse: Warehouse, score: str) -> None:
    """Give every account-week an active score, SQL about its metrics."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            f"""
            insert into cs.health_scores (
                week, account_id, model, model_version, is_active, status, score, band, severity, coverage,
                metric_values, points, contributions, points_lost_to_cap
            )
            select week, account_id, 'm', 'v', true, 'scored', {score}, 'Green', 0, 1, '{{}}', '{{}}', '{{}}', 0
            from marts.fct_account_weeks
            where {score} is not null;
            insert into cs.scored_weeks (week, model, model_version, newest_load_id)
            select distinct week, 'm', 'v', 0 from marts.fct_account_weeks
            """
        )
