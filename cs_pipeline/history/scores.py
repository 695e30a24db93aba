"""Scores of weeks: read from the mart in chunks of accounts, scored, and put in place of what the week had.

All models of a selection are computed from one read. A week is one transaction, so a reader sees all of its old scores
or all of its new ones. Rows hold nothing that depends on when they were written: scoring a week again gives the same
rows.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
from adbc_driver_manager.dbapi import Connection

from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.selection import Selection
from cs_pipeline.health.signs import Booleans
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.steadiness import NO_BAND
from cs_pipeline.health.weekly import Override, WeeklyScores, weekly_scores
from cs_pipeline.history.account_weeks import account_weeks, earlier_scores, standing_before
from cs_pipeline.history.held import hold, is_stale, needs_events, recount
from cs_pipeline.history.parents import roll_up_parents
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.score_rows import score_rows
from cs_pipeline.history.tally import Tally, WeekScored
from cs_pipeline.history.weeks import execute, lock_week, require_marts
from cs_pipeline.warehouse.bulk import append, read_batches
from cs_pipeline.warehouse.connection import Warehouse


def score_weeks(
    warehouse: Warehouse,
    selection: Selection,
    weeks: Iterable[date],
    scope: Scope,
    *,
    on_week: Callable[[WeekScored], None] | None = None,
) -> list[WeekScored]:
    """Score `weeks` (Mondays, ascending) for the accounts in `scope`, each in a transaction of its own.

    The week's rows of these versions of the models are replaced; rows of other versions and models stay, but are no
    longer the active ones. `on_week` is told when a week is done. Memory does not grow with the weeks.
    Raises UserError when the mart is not built.
    """
    require_marts(warehouse, "fct_account_weeks")
    arithmetics = [Arithmetic(model) for model in selection.models]
    _keep_definitions(warehouse, selection.models)
    done: list[WeekScored] = []
    with warehouse.arrow() as reading, warehouse.arrow() as writing:
        for week in weeks:
            lock_week(writing, "health_scores", week)
            _clear(writing, selection.models, week, scope)
            scored = _write(reading, writing, selection, arithmetics, week, scope)
            if is_stale(reading, week):
                for model in filter(needs_events, selection.models):
                    hold(writing, model, week, scope)
                recount(writing, week, scope, scored)
            roll_up_parents(writing, week)
            _keep_moment(writing, selection.models, week)
            writing.commit()
            reading.commit()  # the next week sees this one: models may look back
            done.append(scored)
            if on_week:
                on_week(scored)
    return done


def _keep_definitions(warehouse: Warehouse, models: Sequence[ScoreModel]) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        for model in models:
            most = [metric.points for metric in model.metrics]
            cursor.execute(
                """
                insert into cs.score_models (model, model_version, metrics, max_points, definition)
                values (%s, %s, %s, %s, %s)
                on conflict do nothing
                """,
                (model.model, model.version, list(model.metric_names), most, json.dumps(model.definition)),
            )


def _keep_moment(connection: Connection, models: Sequence[ScoreModel], week: date) -> None:
    for model in models:
        execute(
            connection,
            f"""
            insert into cs.scored_weeks (week, model, model_version, newest_load_id)
            select date '{week}', '{model.model}', '{model.version}', coalesce(max(load_id), 0) from cs.loads
            on conflict (week, model, model_version) do update
            set scored_at = excluded.scored_at, newest_load_id = excluded.newest_load_id
            """,
        )


def _clear(connection: Connection, models: Sequence[ScoreModel], week: date, scope: Scope) -> None:
    """Delete what will be written again, and take the place of what counted until now."""
    rows = f"health_scores.week = date '{week}' and {scope.condition('health_scores', 'health_scores.week')}"
    for model in models:
        is_this = f"model = '{model.model}' and model_version = '{model.version}'"
        execute(connection, f"delete from cs.health_scores where {rows} and {is_this}")
    execute(connection, f"update cs.health_scores set is_active = false where {rows} and is_active")


def _write(
    reading: Connection,
    writing: Connection,
    selection: Selection,
    arithmetics: Sequence[Arithmetic],
    week: date,
    scope: Scope,
) -> WeekScored:
    scored = WeekScored(week, by_model={model.model: Tally() for model in selection.models})
    for batch in read_batches(reading, account_weeks(selection.models, week, scope)):
        frame = batch.to_pandas()
        counting = selection.active(frame)
        for position, arithmetic in enumerate(arithmetics):
            is_active = counting == position
            rows, weekly = _score(arithmetic, week, batch["account_id"], frame, is_active)
            append(writing, "cs", "health_scores", rows)
            scored.by_model[arithmetic.model.model].add(arithmetic.model, weekly, np.ones(len(frame), dtype=bool))
            scored.active.add(arithmetic.model, weekly, is_active)
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
    """What people set, where the model counts; a band that the model does not have sets nothing."""
    names = {band.band: position for position, band in enumerate(model.bands)}
    score = frame["override_score"].to_numpy(dtype=np.float64, na_value=np.nan)
    band = np.asarray(frame["override_band"].map(names).fillna(NO_BAND), dtype=np.int64)
    return Override(np.where(is_active, score, np.nan), np.where(is_active, band, NO_BAND))
