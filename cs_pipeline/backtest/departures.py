"""Count what became of every departure in a backtest: looked at in time, or why not.

An account that left and was never looked at is in no figure of a backtest; where that is systematic, as with customers
who leave within a week of their signup, the figures are of other customers. So each has its place in one count.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_pipeline.backtest.design import WEEK, BeforeRenewals, Design
from cs_pipeline.backtest.observations import outcomes_of
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse

LOOKED_AT = "looked at"
TOO_SHORT = "customers for less than a full week"
BEFORE = "left too early for the weeks looked at"
AFTER = "left too late for the weeks looked at"
TENURE = "not of the age that was asked for"
NOT_BUILT = "not in the marts in the week in which they would have been looked at"
BETWEEN = "left between two looks"
FATES = (LOOKED_AT, TOO_SHORT, BEFORE, AFTER, TENURE, BETWEEN, NOT_BUILT)


@dataclass(frozen=True)
class Departures:
    """All accounts whose departure is known by now, by what the backtest made of them."""

    counts: dict[str, int]
    """Accounts for each of FATES that there is any of."""

    @property
    def known(self) -> int:
        """Accounts that left, as far as the marts know."""
        return sum(self.counts.values())

    @property
    def looked_at(self) -> int:
        """Those of them that an observation is of."""
        return self.counts.get(LOOKED_AT, 0)

    @property
    def words(self) -> str:
        """One sentence; empty when all were looked at."""
        others = [f"{count:,} {fate}" for fate, count in self.counts.items() if fate != LOOKED_AT]
        if not others:
            return ""
        return f"Of all {self.known:,} that left, {self.looked_at:,} were looked at. The others: {', '.join(others)}."


def count_departures(warehouse: Warehouse, design: Design, observations: pd.DataFrame) -> Departures:
    """What `observations`, which `design` has led to, make of each departure."""
    left = query(
        warehouse,
        f"""
        with outcomes as ({outcomes_of(design.outcome)})
        select
            outcomes.account_id,
            outcomes.departs_on,
            min(account_weeks.week) as first_week
        from outcomes
        left join marts.fct_account_weeks as account_weeks
            on outcomes.account_id = account_weeks.account_id and account_weeks.week + 7 <= outcomes.departs_on
        where outcomes.departs_on is not null
        group by outcomes.account_id, outcomes.departs_on
        """,
    )
    looked_at = observations.loc[observations["departs"], "account_id"].unique()
    departs_on, first_week = (pd.to_datetime(left[name]) for name in ("departs_on", "first_week"))
    earliest, latest = _looks(design, departs_on, first_week)
    fates = np.select(
        [
            np.isin(left["account_id"], looked_at),
            first_week.isna(),
            latest < pd.Timestamp(design.first),
            earliest > pd.Timestamp(design.last),
            np.full(len(left), design.min_tenure_days is not None or design.max_tenure_days is not None),
            np.full(len(left), not isinstance(design.scheme, BeforeRenewals)),
        ],
        [LOOKED_AT, TOO_SHORT, BEFORE, AFTER, TENURE, BETWEEN],
        NOT_BUILT,
    )
    counted = pd.Series(fates).value_counts()
    return Departures({fate: int(counted[fate]) for fate in FATES if fate in counted})


def _looks(design: Design, departs_on: pd.Series, first_week: pd.Series) -> tuple[pd.Series, pd.Series]:
    """First and last week from which each departure could have been looked at."""
    if isinstance(design.scheme, BeforeRenewals):
        look = _week_before(departs_on - design.scheme.lead_weeks * WEEK)
        look = look.where(~(first_week > look), first_week)
        return look, look
    return _week_before(departs_on - pd.Timedelta(days=design.scheme.within_days - 7)), _week_before(departs_on)


def _week_before(day: pd.Series) -> pd.Series:
    """The last week that had ended on each day."""
    return day - pd.to_timedelta(day.dt.dayofweek + 7, unit="D")
