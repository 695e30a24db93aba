"""Tables about scores and changes, for the Dagster UI and the command line: a function and a query each."""

from datetime import date

import pandas as pd

from cs_pipeline.health.selection import Selection
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.score_rows import NOT_SCORED as NO_SCORE
from cs_pipeline.history.week_summary import WeekSummary
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse

NOT_SCORED = "not scored"


def models_side_by_side(selection: Selection, week: WeekSummary) -> pd.DataFrame:
    """Columns model, version, counts_for_some, mean_score, coverage, not_scored: the models of a week's run."""
    active = {model.model for model in selection.active_models}
    return pd.DataFrame(
        [
            {
                "model": model.model,
                "version": model.version,
                "counts_for_some": model.model in active,
                "mean_score": round(summary.mean_score or 0, 1),
                "coverage": round(summary.coverage or 0, 3),
                "not_scored": summary.bands[NO_SCORE],
            }
            for model in selection.models
            for summary in [week.by_model[model.model]]
        ]
    )


def model_versions(warehouse: Warehouse) -> pd.DataFrame:
    """Columns model, version, first_week, last_week, weeks, rows, counts_in (rows), mean_score, scored_at.

    Every version that ever scored a week, the latest scored last.
    """
    return query(
        warehouse,
        read_sql(__file__, "model_versions"),
    )


def bands_by_week(warehouse: Warehouse, first: date, last: date) -> pd.DataFrame:
    """Columns week, band, severity, accounts, mean_score: the active scores of a range of weeks.

    Accounts below the coverage floor count under the band `not scored`, severity -1.
    """
    return query(
        warehouse,
        """
        select
            week,
            coalesce(band, $3) as band,
            coalesce(severity, -1)::integer as severity,
            count(*) as accounts,
            round(avg(score)::numeric, 1)::double precision as mean_score
        from cs.health_scores
        where is_active and week between $1::date and $2::date
        group by 1, 2, 3
        order by 1, 3
        """,
        (first.isoformat(), last.isoformat(), NOT_SCORED),
    )


def missing_metrics(warehouse: Warehouse, week: date) -> pd.DataFrame:
    """Columns metric, accounts: what is missing of accounts that are not scored in a week, and of how many of them.

    The metrics of most accounts come first, of those the ones with most points.
    """
    return query(
        warehouse,
        """
        select metric.name as metric, count(*) as accounts
        from cs.health_scores
        inner join cs.score_models using (model, model_version)
        cross join lateral unnest(score_models.metrics, score_models.max_points, health_scores.points)
            as metric (name, max_points, points)
        where is_active and week = $1::date and status = 'not_scored' and metric.points is null
        group by metric.name
        order by 2 desc, max(metric.max_points) desc, 1
        """,
        (week.isoformat(),),
    )


def score_bins(warehouse: Warehouse, week: date) -> pd.DataFrame:
    """Columns score_from (0, 10, … 90), band, severity, accounts: the distribution of one week."""
    return query(
        warehouse,
        """
        select
            (least(floor(score / 10), 9) * 10)::integer as score_from,
            band,
            severity::integer as severity,
            count(*) as accounts
        from cs.health_scores
        where is_active and score is not null and week = $1::date
        group by 1, 2, 3
        order by 1, 3
        """,
        (week.isoformat(),),
    )


def largest_falls(warehouse: Warehouse, week: date, limit: int = 10) -> pd.DataFrame:
    """Columns account, from_score, to_score, from_band, to_band, cause, main_driver, arr; the steepest first."""
    return query(
        warehouse,
        """
        select
            fct_account_weeks.account_name as account,
            score_changes.from_score,
            score_changes.to_score,
            score_changes.from_band,
            score_changes.to_band,
            score_changes.cause,
            score_changes.driver_metrics[1] as main_driver,
            fct_account_weeks.arr
        from cs.score_changes
        inner join marts.fct_account_weeks using (week, account_id)
        where score_changes.week = $1::date and score_changes.delta < 0
        order by score_changes.delta, fct_account_weeks.arr desc nulls last, account_id
        limit $2::integer
        """,
        (week.isoformat(), str(limit)),
    )


def changes_by_cause(warehouse: Warehouse, first: date, last: date) -> pd.DataFrame:
    """Columns cause, changes, severity_changes: why scores moved."""
    return query(
        warehouse,
        """
        select
            cause,
            count(*) as changes,
            count(*) filter (where to_severity is distinct from from_severity) as severity_changes
        from cs.score_changes
        where week between $1::date and $2::date
        group by cause
        order by changes desc, cause
        """,
        (first.isoformat(), last.isoformat()),
    )


def windows_by_kind(warehouse: Warehouse, first: date, last: date) -> pd.DataFrame:
    """Columns renewal_window, renewal_type, subscriptions, arr: the renewal windows that opened."""
    return query(
        warehouse,
        """
        select renewal_window, renewal_type, count(*) as subscriptions, sum(arr) as arr
        from cs.renewal_windows
        where week between $1::date and $2::date
        group by 1, 2
        order by case renewal_window when 'overdue' then 0 else renewal_window::integer end desc, 2
        """,
        (first.isoformat(), last.isoformat()),
    )


def accounts_by_week(warehouse: Warehouse, first: date, last: date, scope: Scope) -> dict[date, int]:
    """How many accounts of the scope the mart has in each week that has any."""
    rows = query(
        warehouse,
        f"""
        select week, count(*) as accounts
        from marts.fct_account_weeks as account_weeks
        where week between $1::date and $2::date and {scope.condition("account_weeks", "account_weeks.week")}
        group by week
        """,
        (first.isoformat(), last.isoformat()),
    )
    return dict(zip(rows["week"], rows["accounts"].astype(int), strict=True))


def newest_week(warehouse: Warehouse) -> date | None:
    """The newest week that has scores."""
    week = query(warehouse, "select max(week) as week from cs.health_scores")["week"][0]
    return None if week is None or pd.isna(week) else week


def company_in_numbers(warehouse: Warehouse, week: date) -> dict[str, str]:
    """Headings and numbers: accounts, users, ARR, weeks of history, scores, rejects."""
    row = query(
        warehouse,
        """
        select
            (select count(*) from marts.fct_account_weeks where week = $1::date) as accounts,
            (select count(*) from raw.users where deleted_at is null) as users,
            (select coalesce(sum(arr), 0) from marts.fct_account_weeks where week = $1::date) as arr,
            (select count(distinct week) from cs.health_scores) as weeks,
            (select count(*) from cs.health_scores where is_active) as scores,
            (select coalesce(sum(rows), 0)::bigint from raw.raw_rejects) as rejects
        """,
        (week.isoformat(),),
    ).iloc[0]
    return {
        "accounts": f"{row['accounts']:,.0f}",
        "users": f"{row['users']:,.0f}" if row["users"] else "unknown",
        "ARR": f"{row['arr']:,.0f}",
        "weeks scored": f"{row['weeks']:,.0f}",
        "scores": f"{row['scores']:,.0f}",
        "rows put aside": f"{row['rejects']:,.0f}",
    }
