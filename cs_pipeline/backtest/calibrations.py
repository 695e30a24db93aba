"""Store, each week, how likely accounts of each score are to leave within 90 days, for every version that counts.

First what became of accounts is counted in weeks whose windows have closed since (`cs.score_outcomes`, once a week and
version), then the likelihoods of the asked weeks are made of those counts (`cs.score_calibrations`). The view
`cs.active_scores` has the likelihood of each account. Making them again gives the same rows. How a likelihood is made
is in `likelihood`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
from adbc_driver_manager.dbapi import Connection

from cs_pipeline.backtest.likelihood import (
    CLOSES_AFTER,
    EVERY_WEEKS,
    LOOKED_BACK,
    SCORES,
    WITHIN_DAYS,
    Calibration,
    calibrate,
)
from cs_pipeline.backtest.measures import Floats, TooLittle
from cs_pipeline.backtest.observations import outcomes_of
from cs_pipeline.history.statistics import analyze_grown
from cs_pipeline.history.weeks import execute, lock_week, require_marts
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.bulk import append, literal, read_frame
from cs_pipeline.warehouse.connection import Warehouse


@dataclass(frozen=True)
class CalibratedWeek:
    """What was stated of one version in one week."""

    week: date
    model: str
    model_version: str
    learned_from: date | None
    """First week that was learned from, and the last."""
    learned_to: date | None
    observations: int
    departures: int
    stated: Calibration | TooLittle


def record_likelihoods(
    warehouse: Warehouse, weeks: Sequence[date], beside: tuple[str, str] | None = None
) -> list[CalibratedWeek]:
    """Replace what is stated in `weeks`, of the versions that count in them; or of `beside`, a model and its version.

    Raises UserError when the marts are not built.
    """
    require_marts(warehouse, "dim_accounts", "fct_account_weeks", "fct_subscription_terms")
    if not weeks:
        return []
    with warehouse.arrow() as connection:
        for week in sorted(weeks):
            lock_week(connection, "score_calibrations", week)
        asked = versions_of(connection, weeks, beside)
        _count_outcomes(connection, asked)
        counts = _counts(connection, asked)
        done = [_stated(row, counts) for row in asked.itertuples()]
        _write(connection, done)
        connection.commit()
        analyze_grown(connection, "cs.score_outcomes", "cs.score_calibrations")
    return done


def versions_of(connection: Connection, weeks: Sequence[date], beside: tuple[str, str] | None = None) -> pd.DataFrame:
    """Columns week, model, model_version, learned_until (of a fitted model): what counts in `weeks`, or `beside`."""
    listed = ", ".join(literal(week) for week in sorted(weeks))
    if beside is None:
        which = "scores.is_active"
    else:
        which = f"scores.model = {literal(beside[0])} and scores.model_version = {literal(beside[1])}"
    return read_frame(
        connection,
        f"""
        select
            found.week,
            found.model,
            found.model_version,
            (models.definition ->> 'learned_until')::date as learned_until
        from (
            select distinct scores.week, scores.model, scores.model_version
            from cs.health_scores as scores
            where scores.week in ({listed}) and {which}
        ) as found
        left join cs.score_models as models
            on found.model = models.model and found.model_version = models.model_version
        order by found.week, found.model, found.model_version
        """,
    )


def not_counted(connection: Connection, table: str, asked: pd.DataFrame, within: str) -> pd.DataFrame:
    """Columns week, model, model_version: scored weeks of the versions of `asked`, of which `table` of schema cs has no
    row. `within`: which weeks, as a condition on `week`."""
    versions = asked[["model", "model_version"]].drop_duplicates()
    return read_frame(
        connection,
        f"""
        select week, model, model_version
        from cs.scored_weeks
        where
            ({within})
            and (model, model_version) in ({listed(versions)})
            and not exists (
                select 1
                from cs.{table} as counted
                where
                    counted.week = scored_weeks.week
                    and counted.model = scored_weeks.model
                    and counted.model_version = scored_weeks.model_version
            )
        order by week, model, model_version
        """,
    )


def _count_outcomes(connection: Connection, asked: pd.DataFrame) -> None:
    """Count the closed weeks of the versions that are not counted yet, as far back as the asked weeks look."""
    if asked.empty:
        return
    first = asked["week"].min() - CLOSES_AFTER - timedelta(weeks=LOOKED_BACK)
    last = asked["week"].max() - CLOSES_AFTER
    within = f"week > {literal(first)} and week <= {literal(last)}"
    missing = not_counted(connection, "score_outcomes", asked, within)
    if missing.empty:
        return
    sql = read_sql(
        __file__,
        "outcomes",
        outcomes=outcomes_of(),
        weeks=listed(missing),
        within_days=str(WITHIN_DAYS),
        every_weeks=str(EVERY_WEEKS),
    )
    execute(connection, sql)


def _counts(connection: Connection, asked: pd.DataFrame) -> pd.DataFrame:
    """The counts of the versions that are asked for: week, model, model_version, score, observations, departures."""
    if asked.empty:
        return asked
    versions = asked[["model", "model_version"]].drop_duplicates()
    return read_frame(
        connection,
        f"""
        select week, model, model_version, score, observations, departures
        from cs.score_outcomes
        where (model, model_version) in ({listed(versions)})
        """,
    )


def _stated(row: object, counts: pd.DataFrame) -> CalibratedWeek:
    week, model, version, learned_until = (
        getattr(row, name) for name in ("week", "model", "model_version", "learned_until")
    )
    last = week - CLOSES_AFTER
    is_learned = (
        (counts["model"] == model)
        & (counts["model_version"] == version)
        & (counts["week"] <= last)
        & (counts["week"] > last - timedelta(weeks=LOOKED_BACK))
    )
    if learned_until is not None and not pd.isna(learned_until):  # what it was fitted to would flatter it
        is_learned &= counts["week"] + timedelta(days=7) >= learned_until
    learned = counts[is_learned]
    observations, departures = (_by_score(learned, name) for name in ("observations", "departures"))
    return CalibratedWeek(
        week=week,
        model=model,
        model_version=version,
        learned_from=None if learned.empty else learned["week"].min(),
        learned_to=None if learned.empty else learned["week"].max(),
        observations=int(observations.sum()),
        departures=int(departures.sum()),
        stated=calibrate(observations, departures),
    )


def _by_score(rows: pd.DataFrame, name: str) -> Floats:
    return np.bincount(rows["score"].to_numpy(int), rows[name].to_numpy(float), minlength=SCORES).astype(float)


def listed(rows: pd.DataFrame) -> str:
    """Rows as SQL."""
    return ", ".join(f"({', '.join(map(literal, row))})" for row in rows.itertuples(index=False, name=None))


def _write(connection: Connection, done: Sequence[CalibratedWeek]) -> None:
    for each in done:
        execute(
            connection,
            """
            delete from cs.score_calibrations
            where week = $1::date and model = $2 and model_version = $3
            """,
            (each.week.isoformat(), each.model, each.model_version),
        )
    append(
        connection,
        "cs",
        "score_calibrations",
        pa.table(
            {
                **{
                    name: pa.array([getattr(each, name) for each in done], kind)
                    for name, kind in (
                        ("week", pa.date32()),
                        ("model", pa.string()),
                        ("model_version", pa.string()),
                        ("learned_from", pa.date32()),
                        ("learned_to", pa.date32()),
                        ("observations", pa.int32()),
                        ("departures", pa.int32()),
                    )
                },
                **{
                    column: pa.array([_steps(each.stated, name, kind) for each in done], pa.list_(kind))
                    for column, name, kind in (
                        ("score_from", "score_from", pa.float64()),
                        ("likelihood", "likelihood", pa.float64()),
                        ("low", "low", pa.float64()),
                        ("high", "high", pa.float64()),
                        ("step_observations", "observations", pa.int32()),
                        ("step_departures", "departures", pa.int32()),
                    )
                },
            }
        ),
    )


def _steps(stated: Calibration | TooLittle, name: str, kind: pa.DataType) -> list[float] | None:
    if isinstance(stated, TooLittle):
        return None
    return pa.array(getattr(stated, name)).cast(kind).to_pylist()
