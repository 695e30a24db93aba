"""Scores of weeks: read from the mart in chunks of accounts, scored, and put in place of what the week had.

All models of a selection are computed from one read. A week is one transaction, so a reader sees all of its old scores
or all of its new ones. Where slices of the accounts are scored at once, each slice of a week is one, and the week is
kept as scored once it is concluded. Rows hold nothing that depends on when they were written, or on how the accounts
were cut: scoring a week again gives the same rows.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
from adbc_driver_manager.dbapi import Connection

from cs_pipeline.health.risk_signals import Booleans
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.selection import Selection
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.steadiness import NO_BAND
from cs_pipeline.health.weekly import Override, WeeklyScores, weekly_scores
from cs_pipeline.history.account_weeks import account_weeks, earlier_scores, overrides_of, standing_before
from cs_pipeline.history.count_scores import count_week
from cs_pipeline.history.rollups import roll_up_parents
from cs_pipeline.history.scope import STORED, Schemas, Scope
from cs_pipeline.history.score_rows import score_rows
from cs_pipeline.history.stale_weeks import hold_scores, is_stale, needs_events, recount
from cs_pipeline.history.statistics import analyze_grown, analyze_keys
from cs_pipeline.history.week_summary import ScoreSummary, WeekSummary
from cs_pipeline.history.weeks import execute, lock_week, require_marts
from cs_pipeline.warehouse.bulk import append, read_batches
from cs_pipeline.warehouse.connection import Warehouse

SCORES = "cs.health_scores"
KEYS = ("week", "account_id", "model", "model_version", "is_active")
COUNTED = ("score_outcomes", "score_distributions")
"""Counts of scores, which are made anew when a week is scored again (`backtest.calibrations`, `.distributions`)."""


def score_weeks(
    warehouse: Warehouse,
    selection: Selection,
    weeks: Iterable[date],
    scope: Scope,
    *,
    on_week: Callable[[WeekSummary], None] | None = None,
) -> list[WeekSummary]:
    """Score `weeks` (Mondays, ascending) for the accounts in `scope`, each in a transaction of its own.

    The week's rows of these versions of the models are replaced; rows of other versions and models stay, but are no
    longer the active ones. A selection that counts for nobody leaves everything as it is that counts, and writes its
    rows beside. `on_week` is told when a week is done. Memory does not grow with the weeks.
    A scope of one slice leaves what is of all accounts to `conclude_weeks`.
    Raises UserError when the mart is not built.
    """
    require_marts(warehouse, "fct_account_weeks")
    arithmetics = [Arithmetic(model) for model in selection.models]
    done: list[WeekSummary] = []
    with warehouse.arrow() as reading, warehouse.arrow() as writing:
        for week in weeks:
            lock_week(writing, "health_scores", week, scope.part)
            _clear(writing, selection, week, scope)
            scored = write_week(reading, writing, selection, arithmetics, week, scope)
            if scored.is_stale and not selection.is_beside:
                recount(writing, selection.models, week, scope, scored)
            if scope.part is None:
                _conclude(writing, selection, week, scope)
            writing.commit()
            analyze_grown(writing, SCORES)
            reading.commit()  # the next week sees this one: models may look back
            done.append(scored)
            if on_week:
                on_week(scored)
        if done and scope.part is None:  # the newest weeks, of which a table that grew little has no statistics
            analyze_keys(writing, SCORES, *KEYS)
    return done


def conclude_weeks(
    warehouse: Warehouse, selection: Selection, weeks: Iterable[date], scope: Scope
) -> list[WeekSummary]:
    """Do what is of all accounts, once every slice of the accounts in `scope` has been scored: parents, what is kept.

    A transaction a week; what the weeks came to is counted from their rows.
    """
    done: list[WeekSummary] = []
    with warehouse.arrow() as connection:
        for week in weeks:
            lock_week(connection, "health_scores", week)
            _conclude(connection, selection, week, scope)
            done.append(count_week(connection, selection.models, week, scope))
            connection.commit()
        analyze_keys(connection, SCORES, *KEYS)
    return done


def _conclude(connection: Connection, selection: Selection, week: date, scope: Scope) -> None:
    _keep_definitions(connection, selection.models)
    for model in selection.models:
        for counted in COUNTED:
            execute(
                connection,
                f"delete from cs.{counted} where week = $1::date and model = $2 and model_version = $3",
                (week.isoformat(), model.model, model.version),
            )
    if not selection.is_beside:
        roll_up_parents(connection, week)
    _keep_moment(connection, selection, week, scope)


def _keep_definitions(connection: Connection, models: Sequence[ScoreModel]) -> None:
    """With the rows, not before them: a version of which a definition is kept has scored a week."""
    for model in models:
        most = [metric.points for metric in model.metrics]
        with connection.cursor() as cursor:
            cursor.execute(
                """
                insert into cs.score_models (model, model_version, metrics, max_points, definition)
                select
                    $1,
                    $2,
                    array(select jsonb_array_elements_text($3::jsonb)),
                    array(select jsonb_array_elements_text($4::jsonb)::double precision),
                    $5::jsonb
                on conflict do nothing
                """,
                (model.model, model.version, *map(json.dumps, (model.metric_names, most, model.definition))),
            )


def _keep_moment(connection: Connection, selection: Selection, week: date, scope: Scope) -> None:
    """Remember what had been loaded. A run that builds no marts knows what they knew when the week was last scored.

    A run of some accounts takes nothing back, and says no more than the week says already, under whatever version:
    the others know only what was there when all were scored.
    """
    newest = "select coalesce(max(load_id), 0) from cs.loads"
    is_whole = scope == Scope()
    if selection.is_beside or not is_whole:
        newest = f"select coalesce(max(newest_load_id), ({newest})) from cs.scored_weeks where week = $1::date"
    again = "do update set scored_at = excluded.scored_at, newest_load_id = excluded.newest_load_id"
    for model in selection.models:
        execute(
            connection,
            f"""
            insert into cs.scored_weeks (week, model, model_version, newest_load_id)
            select $1::date, $2, $3, ({newest})
            on conflict (week, model, model_version) {again if is_whole else "do nothing"}
            """,
            (week.isoformat(), model.model, model.version),
        )


def _clear(connection: Connection, selection: Selection, week: date, scope: Scope) -> None:
    """Delete what will be written again, and take the place of what counted until now."""
    for model in selection.models:
        rows = _rows_of(selection, model, week, scope, "health_scores")
        execute(connection, f"delete from cs.health_scores where {rows}")
    if not selection.is_beside:
        rows = f"health_scores.week = date '{week}' and {scope.condition('health_scores', 'health_scores.week')}"
        execute(connection, f"update cs.health_scores set is_active = false where {rows} and is_active")


def _rows_of(selection: Selection, model: ScoreModel, week: date, scope: Scope, rows: str) -> str:
    """SQL that is true for the rows, by their alias, that a run of `selection` replaces for one of its models."""
    return f"""
        {rows}.week = date '{week}'
        and {rows}.model = '{model.model}'
        and {rows}.model_version = '{model.version}'
        and {scope.condition(rows, f"{rows}.week")}
        and {f"not {rows}.is_active" if selection.is_beside else "true"}
    """


def _counts_already(selection: Selection, schemas: Schemas) -> str:
    """SQL that is true for the accounts of `account_weeks` for which the selection writes nothing.

    Beside what counts means also: not in its schemas, where the very version counts.
    """
    if not selection.is_beside:
        return "false"
    versions = ", ".join(f"('{model.model}', '{model.version}')" for model in selection.models)
    return f"""exists (
        select 1
        from {schemas.scores} as counting
        where
            counting.week = account_weeks.week
            and counting.account_id = account_weeks.account_id
            and counting.is_active
            and (counting.model, counting.model_version) in ({versions})
    )"""


def write_week(
    reading: Connection,
    writing: Connection,
    selection: Selection,
    arithmetics: Sequence[Arithmetic],
    week: date,
    scope: Scope,
    schemas: Schemas = STORED,
) -> WeekSummary:
    """Write the rows of a week, of which there must be none, in the transaction of `writing`."""
    scored = WeekSummary(week, by_model={model.model: ScoreSummary() for model in selection.models})
    but = _counts_already(selection, schemas)
    for batch in read_batches(reading, account_weeks(selection.models, week, scope, schemas=schemas, but=but)):
        frame = batch.to_pandas()
        counting = selection.active(frame)
        for position, arithmetic in enumerate(arithmetics):
            is_active = counting == position
            rows, weekly = _score(arithmetic, week, batch["account_id"], frame, is_active)
            append(writing, schemas.cs, "health_scores", rows)
            scored.by_model[arithmetic.model.model].add(arithmetic.model, weekly, np.ones(len(frame), dtype=bool))
            scored.active.add(arithmetic.model, weekly, is_active)
    scored.is_stale = is_stale(reading, week, schemas)
    if scored.is_stale:
        for model in filter(needs_events, selection.models):
            hold_scores(writing, model, week, _rows_of(selection, model, week, scope, "held"), schemas)
    return scored


def _score(
    arithmetic: Arithmetic, week: date, account_ids: pa.Array, frame: pd.DataFrame, is_active: Booleans
) -> tuple[pa.Table, WeeklyScores]:
    model = arithmetic.model
    weekly = weekly_scores(
        arithmetic,
        arithmetic.score(frame),
        standing_before(model, frame) if model.remembers else None,
        earlier_scores(model, frame) if model.escalation else None,
        _override(model, frame, is_active),
    )
    carried = np.zeros(weekly.scores.points.shape, dtype=bool)
    for column, metric in enumerate(model.metrics):
        if metric.carry_weeks:
            carried[:, column] = (frame[metric.metric].isna() & frame[metric.column].notna()).to_numpy()
    override_ids = frame["override_id"].to_numpy(dtype=np.float64, na_value=np.nan)
    rows = score_rows(model, week, account_ids, weekly, is_active=is_active, override_ids=override_ids, carried=carried)
    return rows, weekly


def _override(model: ScoreModel, frame: pd.DataFrame, is_active: Booleans) -> Override:
    """What people set, where the model counts."""
    by_hand = overrides_of(model, frame)
    return Override(np.where(is_active, by_hand.score, np.nan), np.where(is_active, by_hand.band, NO_BAND))
