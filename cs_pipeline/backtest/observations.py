"""Observations: an account as one week knew it, and what became of it. Read from the marts, one query each.

What is known of an account comes from that week's row of `fct_account_weeks` and from nowhere else: the row was built
from what had reached the warehouse when the week ended. Departures are looked up afterwards, and only where they have
had the time to happen.

An account departs when `churned_at` says so or when its last period ends (as in `fct_cohort_retention`). While a lapsed
period is younger than 30 days a successor may still come: observations whose outcome hangs on it are left out. So a
lapse is known 30 days after it, and a renewal when its successor has started; `known_on` says so of each outcome.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from cs_pipeline.backtest.design import BeforeRenewals, Design, EveryWeeks, Outcome, design_of
from cs_pipeline.errors import UserError
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.history.account_weeks import metric_columns
from cs_pipeline.history.weeks import require_marts
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse

LOOK_BACK_DAYS = 26 * 7
"""How far before a departure the bands are followed."""
STEADY_WEEKS = 13
"""Rhythm for accounts that neither renew nor depart; each in weeks of its own, by a hash of its id."""


def outcomes_of(outcome: Outcome = "departure", most_accounts: int | None = None) -> str:
    """Select of account_id, until_day, departs_on, known_on, decided_until: a row an account, or so many of them.

    Which ones goes by a hash of their ids.
    """
    sql = read_sql(__file__, "outcomes").replace("select 'departure'::text", f"select '{outcome}'::text")
    if most_accounts is None:
        return sql
    part = f"order by md5('part' || account_id) limit {most_accounts:d}"
    of_part = "where account_id = any(array(select accounts.account_id from accounts))"  # a join would read all terms
    for mart, only in (("dim_accounts", part), ("fct_subscription_terms", of_part)):
        sql = sql.replace(f"    from marts.{mart}\n", f"    from marts.{mart}\n    {only}\n")
    return sql


def weeks_of_marts(warehouse: Warehouse) -> tuple[date, date]:
    """First and last week of the marts. Raises UserError when there are none."""
    require_marts(warehouse, "fct_account_weeks", "dim_accounts", "fct_subscription_terms")
    row = query(warehouse, "select min(week) as first, max(week) as last from marts.fct_account_weeks").iloc[0]
    if row["first"] is None or pd.isna(row["first"]):
        raise UserError("The marts hold no week yet: build them first, with `cs-pipeline backfill`")
    return row["first"], row["last"]


def design_within_marts(
    warehouse: Warehouse, first: date | None, last: date | None, outcome: str = "departure", **settings: int | None
) -> Design:
    """The design with these settings (see `design_of`); without a first or last week, those of the marts."""
    earliest, latest = weeks_of_marts(warehouse)
    return design_of(first or earliest, last or latest, outcome=outcome, **settings)


def read_observations(
    warehouse: Warehouse,
    design: Design,
    models: Sequence[ScoreModel] = (),
    most_accounts: int | None = None,
    *,
    with_other_metrics: bool = True,
) -> pd.DataFrame:
    """One row an observation, ordered by week and account; of at most `most_accounts`, see `outcomes_of`.

    Columns account_id, week, observed_on (the day the week was over), tier, cohort_month, departs (bool), departs_on,
    known_on (first day on which the outcome is known), every metric that the marts have (NaN is missing), or only
    those of `models`, and what these carry forward.
    """
    require_marts(warehouse, "fct_account_weeks", "dim_accounts", "fct_subscription_terms")
    metrics = ", ".join(_columns(warehouse, models) if with_other_metrics else metric_columns(models))
    observed, *rhythm = _observed(design)
    rows = query(
        warehouse,
        f"""
        with outcomes as ({outcomes_of(design.outcome, most_accounts)}), observed as ({observed})
        select
            observed.account_id,
            observed.week,
            observed.week + 7 as observed_on,
            account_weeks.tier,
            account_weeks.cohort_month,
            observed.departs,
            outcomes.departs_on,
            observed.known_on,
            {metrics}
        from observed
        inner join marts.fct_account_weeks as account_weeks
            on account_weeks.account_id = observed.account_id and account_weeks.week = observed.week
        inner join outcomes on outcomes.account_id = observed.account_id
        where {_tenure(design)}
        order by observed.week, observed.account_id
        """,
        (design.first.isoformat(), design.last.isoformat(), *rhythm),
    )
    days = ("week", "observed_on", "departs_on", "known_on", "cohort_month")
    moments = {name: pd.to_datetime(rows[name]) for name in days}
    return rows.assign(**moments, departs=rows["departs"].astype(bool), tier=rows["tier"].fillna("none"))


def read_last_weeks(
    warehouse: Warehouse, account_ids: pd.Series, models: Sequence[ScoreModel], outcome: Outcome = "departure"
) -> pd.DataFrame:
    """The weeks before the departures of `account_ids`: account_id, observed_on, departs_on, metrics of `models`."""
    metrics = ", ".join(metric_columns(models))
    rows = query(
        warehouse,
        f"""
        with outcomes as ({outcomes_of(outcome)})
        select account_weeks.account_id, account_weeks.week + 7 as observed_on, outcomes.departs_on, {metrics}
        from marts.fct_account_weeks as account_weeks
        inner join outcomes on outcomes.account_id = account_weeks.account_id
        where
            account_weeks.week + 7 <= outcomes.departs_on
            and account_weeks.week + 7 > outcomes.departs_on - {LOOK_BACK_DAYS}
        order by account_weeks.account_id, account_weeks.week
        """,
    )
    moments = {name: pd.to_datetime(rows[name]) for name in ("observed_on", "departs_on")}
    return rows.assign(**moments)[np.isin(rows["account_id"], account_ids.unique())].reset_index(drop=True)


def read_newest_week(warehouse: Warehouse, models: Sequence[ScoreModel]) -> pd.DataFrame:
    """The accounts of the newest week: account_id, week, what `models` look at; ordered by account."""
    metrics = ", ".join(metric_columns(models))
    return query(
        warehouse,
        f"""
        select account_weeks.account_id, account_weeks.week, {metrics}
        from marts.fct_account_weeks as account_weeks
        where account_weeks.week = (select max(week) from marts.fct_account_weeks)
        order by account_weeks.account_id
        """,
    )


def read_departures(warehouse: Warehouse) -> pd.Series:
    """The day on which each account departed, by account_id; accounts that are still there are not in it."""
    require_marts(warehouse, "fct_account_weeks", "dim_accounts", "fct_subscription_terms")
    rows = query(
        warehouse, f"select account_id, departs_on from ({outcomes_of()}) as outcomes where departs_on is not null"
    )
    return pd.Series(rows["departs_on"].to_numpy(), index=pd.Index(rows["account_id"], dtype="str"), dtype="object")


def metrics_of(observations: pd.DataFrame) -> list[str]:
    """The metrics among the columns, in the order of the catalogue."""
    return [name for name in METRICS if name in observations.columns]


def _columns(warehouse: Warehouse, models: Sequence[ScoreModel]) -> list[str]:
    """Select expressions for what the models look at, and for every other metric of the marts."""
    columns = query(
        warehouse,
        """
        select column_name from information_schema.columns
        where table_schema = 'marts' and table_name = 'fct_account_weeks'
        """,
    )
    present, used = set(columns["column_name"]), {name for model in models for name in model.metric_names}
    if absent := sorted(used - present):
        raise UserError(f"The marts do not have the metric {absent[0]}: build their weeks again")
    others = [name for name in METRICS if name in present - used]
    return metric_columns(models) + [f"account_weeks.{name}::double precision as {name}" for name in others]


def _tenure(design: Design) -> str:
    conditions = []
    if design.min_tenure_days is not None:
        conditions.append(f"account_weeks.tenure_days >= {design.min_tenure_days:d}")
    if design.max_tenure_days is not None:
        conditions.append(f"account_weeks.tenure_days <= {design.max_tenure_days:d}")
    return " and ".join(conditions) or "true"


def _observed(design: Design) -> tuple[str, int, int]:
    """Select of account_id, week, departs, known_on out of `outcomes`; and what it is given as $3 and $4."""
    scheme = design.scheme
    if isinstance(scheme, BeforeRenewals):
        return read_sql(__file__, "before_renewals"), 7 * scheme.lead_weeks, min(STEADY_WEEKS, design.weeks)
    if isinstance(scheme, EveryWeeks):
        return read_sql(__file__, "at_a_rhythm"), scheme.within_days, scheme.every_weeks
    return read_sql(__file__, "in_weeks_of_their_own"), scheme.within_days, scheme.every_weeks
