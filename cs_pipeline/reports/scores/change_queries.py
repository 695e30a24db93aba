"""Tables about how scores move and what is known, behind the charts of the Dagster UI. One query each."""

from datetime import date

import pandas as pd

from cs_pipeline.health.explanation import driver_name
from cs_pipeline.health.selection import Selection
from cs_pipeline.history.week_summary import WeekSummary
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse


def score_quantiles(warehouse: Warehouse, first: date, last: date) -> pd.DataFrame:
    """Columns week, p10, p25, p50, p75, p90 of the scores that count."""
    return query(
        warehouse,
        """
        select week, q[1] as p10, q[2] as p25, q[3] as p50, q[4] as p75, q[5] as p90
        from (
            select week, percentile_cont(array[0.1, 0.25, 0.5, 0.75, 0.9]) within group (order by score) as q
            from cs.health_scores
            where is_active and score is not null and week between $1::date and $2::date
            group by week
        ) as quantiles
        order by week
        """,
        (first.isoformat(), last.isoformat()),
    )


def flows_by_week(warehouse: Warehouse, first: date, last: date) -> pd.DataFrame:
    """Columns week, flow, severity_change, accounts: changes of band between two scores."""
    return query(
        warehouse,
        """
        select
            week,
            from_band || ' → ' || to_band as flow,
            (to_severity - from_severity)::integer as severity_change,
            count(*) as accounts
        from cs.score_changes
        where from_band <> to_band and week between $1::date and $2::date
        group by 1, 2, 3
        order by 1, 3, 2
        """,
        (first.isoformat(), last.isoformat()),
    )


def drivers_of_largest_falls(warehouse: Warehouse, week: date, limit: int = 10) -> pd.DataFrame:
    """Columns account, driver, effect, fall: every driver of the steepest falls of a week."""
    rows = query(
        warehouse,
        """
        with falls as (
            select *
            from cs.score_changes
            where week = $1::date and delta < 0
            order by delta, account_id
            limit $2::integer
        )

        select
            fct_account_weeks.account_name || ' (' || falls.account_id || ')' as account,
            driver.metric as driver,
            driver.effect,
            falls.delta as fall
        from falls
        inner join marts.fct_account_weeks using (week, account_id)
        cross join lateral unnest(falls.driver_metrics, falls.driver_deltas) as driver (metric, effect)
        """,
        (week.isoformat(), str(limit)),
    )
    return rows.assign(driver=rows["driver"].map(driver_name))


def known_by_metric(selection: Selection, week: WeekSummary) -> pd.DataFrame:
    """Columns model, metric, known: for which share of the accounts a metric has a value, from a week's run."""
    return pd.DataFrame(
        [
            (model.model, metric, summary.known[metric] / max(summary.accounts, 1))
            for model in selection.models
            for summary in [week.by_model[model.model]]
            for metric in model.metric_names
        ],
        columns=["model", "metric", "known"],
    )
