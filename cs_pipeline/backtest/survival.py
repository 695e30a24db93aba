"""Follow the accounts of a band, a cohort or a tier: the share still kept so many days later (Kaplan and Meier 1958).

Accounts of one week are followed from its end until they leave, or until the last day on which it is known that they
have not. An account that has not been followed for long enough counts for as long as it was. Intervals are Greenwood's
on the scale of log(-log), which keeps them between 0 and 1.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from cs_pipeline.backtest.design import FEWEST_ACCOUNTS, WEEK, Outcome
from cs_pipeline.backtest.measures import Interval, TooLittle
from cs_pipeline.backtest.observations import outcomes_of, weeks_of_marts
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse

HORIZONS = (30, 90, 180, 365)
"""Days after the week at which shares are given."""
By = Literal["band", "cohort", "tier"]


@dataclass(frozen=True)
class Retention:
    """One group of accounts."""

    group: str
    accounts: int
    left: int
    """Accounts that have left since."""
    kept: dict[int, Interval | TooLittle]
    """For each of HORIZONS, the share that is kept."""


def retention(
    warehouse: Warehouse, by: By, week: date | None = None, outcome: Outcome = "departure"
) -> list[Retention]:
    """The accounts that had an active score in `week`: healthiest band first, else in the order of the groups' names.

    Without a week, that of half a year ago. Raises UserError when nobody was scored in it.
    """
    first, last = weeks_of_marts(warehouse)
    week = week or max(first, last - 26 * WEEK)
    if week.weekday() != 0:
        raise UserError(f"{week} is a {week:%A}; weeks are named by the Monday they start")
    spells = _spells(warehouse, by, week, outcome)
    if spells.empty:
        raise UserError(f"No account had a score in the week {week}: see `cs-pipeline doctor` for the weeks that have")
    groups = spells.groupby(["place", "group"], sort=True)
    return [_of_group(str(name), rows) for (_, name), rows in groups]


def kept_after(days: np.ndarray, has_left: np.ndarray, horizon: int) -> Interval | TooLittle:
    """Share kept after `horizon` days, of accounts that were followed for `days` (n,) and then left or were there."""
    from scipy.stats import CensoredData, ecdf  # noqa: PLC0415 - seconds

    if days.max() < horizon:
        return TooLittle(f"nobody could be followed for {horizon} days")
    if (days >= horizon).sum() + (has_left & (days < horizon)).sum() < FEWEST_ACCOUNTS:
        return TooLittle(f"fewer than {FEWEST_ACCOUNTS} accounts were followed for {horizon} days")
    left_by_then = has_left & (days <= horizon)
    if not left_by_then.any():
        return Interval(1.0, float(0.05 ** (1 / len(days))), 1.0)  # none of n: Clopper and Pearson, one-sided
    curve = ecdf(CensoredData(uncensored=days[has_left], right=days[~has_left])).sf
    ends = curve.confidence_interval(method="log-log")
    low, high = (float(end.evaluate(horizon)) for end in (ends.low, ends.high))
    value = float(curve.evaluate(horizon))
    return Interval(value, 0.0 if np.isnan(low) else low, value if np.isnan(high) else high)


def _of_group(name: str, rows: pd.DataFrame) -> Retention:
    days, has_left = rows["days"].to_numpy(float), rows["has_left"].to_numpy(bool)
    if len(rows) < FEWEST_ACCOUNTS:
        little = TooLittle(f"{len(rows)} accounts, and {FEWEST_ACCOUNTS} are needed")
        return Retention(name, len(rows), int(has_left.sum()), dict.fromkeys(HORIZONS, little))
    kept = {horizon: kept_after(days, has_left, horizon) for horizon in HORIZONS}
    return Retention(name, len(rows), int(has_left.sum()), kept)


def _spells(warehouse: Warehouse, by: By, week: date, outcome: Outcome) -> pd.DataFrame:
    """account_id, group, place (order of the group), days followed, has_left."""
    group, place = {
        "band": ("scores.band", "scores.severity"),
        "cohort": ("extract(year from account_weeks.cohort_month)::integer::text", "0"),
        "tier": ("coalesce(account_weeks.tier, 'none')", "0"),
    }[by]
    return query(
        warehouse,
        f"""
        with outcomes as ({outcomes_of(outcome)})
        select
            scores.account_id,
            coalesce({group}, 'unknown') as "group",
            {place} as place,
            least(outcomes.departs_on, outcomes.decided_until, outcomes.until_day) - (scores.week + 7) as days,
            coalesce(outcomes.departs_on < outcomes.until_day, false) as has_left
        from cs.active_scores as scores
        inner join marts.fct_account_weeks as account_weeks
            on scores.account_id = account_weeks.account_id and scores.week = account_weeks.week
        inner join outcomes on scores.account_id = outcomes.account_id
        where
            scores.week = $1::date
            and scores.score is not null
            and least(outcomes.departs_on, outcomes.decided_until, outcomes.until_day) >= scores.week + 7
        order by scores.account_id
        """,
        (week.isoformat(),),
    )
