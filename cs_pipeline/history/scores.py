"""Scores of weeks: read from the mart in chunks of accounts, scored, and put in place of what the week had.

A week is one transaction, so a reader sees all of its old scores or all of its new ones. Rows hold nothing that
depends on when they were written: scoring a week again gives the same rows.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa
from adbc_driver_manager.dbapi import Connection

from cs_pipeline.health.scoring import NO_BAND, Arithmetic, Floats, Scores
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.weeks import execute, lock_week, require_marts
from cs_pipeline.warehouse.bulk import append, read_batches
from cs_pipeline.warehouse.connection import Warehouse

NOT_SCORED = "not_scored"
BINS = 20


@dataclass
class WeekScored:
    """What scoring a week came to."""

    week: date
    accounts: int = 0
    """Rows written: one for each account that the mart has in the week (and the scope)."""
    bands: Counter[str] = field(default_factory=Counter)
    """Accounts per band, and under NOT_SCORED those without a score."""
    known: Counter[str] = field(default_factory=Counter)
    """Accounts per metric whose value is known."""
    distribution: list[int] = field(default_factory=lambda: [0] * BINS)
    """Scored accounts per twentieth of the scale, from 0."""
    total_coverage: float = 0.0
    total_score: float = 0.0

    @property
    def coverage(self) -> float | None:
        """Mean coverage; None without accounts."""
        return self.total_coverage / self.accounts if self.accounts else None

    @property
    def mean_score(self) -> float | None:
        """Mean of the scores; None without any."""
        scored = self.accounts - self.bands[NOT_SCORED]
        return self.total_score / scored if scored else None

    def add(self, model: ScoreModel, scores: Scores) -> None:
        """Count the accounts of one chunk."""
        names = [*(band.band for band in model.bands), NOT_SCORED]
        for name, count in zip(names, np.bincount(scores.band % len(names), minlength=len(names)), strict=True):
            self.bands[name] += int(count)
        for name, count in zip(model.metric_names, (~np.isnan(scores.points)).sum(axis=0), strict=True):
            self.known[name] += int(count)
        scored = scores.score[scores.band != NO_BAND]
        bins = np.minimum(scored // (100 / BINS), BINS - 1).astype(np.int64)
        self.distribution = (np.array(self.distribution) + np.bincount(bins, minlength=BINS)).tolist()
        self.accounts += len(scores)
        self.total_coverage += float(scores.coverage.sum())
        self.total_score += float(scored.sum())


def score_weeks(
    warehouse: Warehouse,
    model: ScoreModel,
    weeks: Iterable[date],
    scope: Scope,
    *,
    on_week: Callable[[WeekScored], None] | None = None,
) -> list[WeekScored]:
    """Score `weeks` (Mondays) for the accounts in `scope`, each in a transaction of its own, and make it count.

    The week's rows of this version of the model are replaced; rows of other versions and models stay, but are no
    longer the active ones. `on_week` is told when a week is done. Memory does not grow with the weeks.
    Raises UserError when the mart is not built.
    """
    require_marts(warehouse, "fct_account_weeks")
    arithmetic = Arithmetic(model)
    _keep_definition(warehouse, model)
    done: list[WeekScored] = []
    with warehouse.arrow() as reading, warehouse.arrow() as writing:
        for week in weeks:
            lock_week(writing, "health_scores", week)
            _clear(writing, model, week, scope)
            scored = _write(reading, writing, arithmetic, week, scope)
            writing.commit()
            done.append(scored)
            if on_week:
                on_week(scored)
    return done


def _keep_definition(warehouse: Warehouse, model: ScoreModel) -> None:
    most = [metric.points for metric in model.metrics]
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.score_models (model, model_version, metrics, max_points, definition)
            values (%s, %s, %s, %s, %s)
            on conflict do nothing
            """,
            (model.model, model.version, list(model.metric_names), most, json.dumps(model.definition)),
        )


def _clear(connection: Connection, model: ScoreModel, week: date, scope: Scope) -> None:
    """Delete what will be written again, and take the place of what counted until now."""
    rows = f"health_scores.week = date '{week}' and {scope.condition('health_scores', 'health_scores.week')}"
    is_this = f"model = '{model.model}' and model_version = '{model.version}'"
    execute(connection, f"delete from cs.health_scores where {rows} and {is_this}")
    execute(connection, f"update cs.health_scores set is_active = false where {rows} and is_active")


def _write(reading: Connection, writing: Connection, arithmetic: Arithmetic, week: date, scope: Scope) -> WeekScored:
    model = arithmetic.model
    columns = ", ".join(f"account_weeks.{name}::double precision as {name}" for name in model.metric_names)
    account_weeks = f"""
        select account_weeks.account_id, {columns}
        from marts.fct_account_weeks as account_weeks
        where account_weeks.week = date '{week}' and {scope.condition("account_weeks", "account_weeks.week")}
    """
    scored = WeekScored(week)
    for batch in read_batches(reading, account_weeks):
        scores = arithmetic.score(batch.to_pandas())
        append(writing, "cs", "health_scores", _rows(model, week, batch["account_id"], scores))
        scored.add(model, scores)
    return scored


def _rows(model: ScoreModel, week: date, account_ids: pa.Array, scores: Scores) -> pa.Table:
    """Rows of cs.health_scores."""
    accounts = len(scores)
    bands = pa.array(np.where(scores.band == NO_BAND, 0, scores.band), mask=scores.band == NO_BAND)
    statuses = pa.array(["scored", NOT_SCORED]).take(pa.array((scores.band == NO_BAND).astype(np.int8)))
    return pa.table(
        {
            "week": pa.repeat(pa.scalar(week), accounts),
            "account_id": account_ids,
            "model": pa.repeat(model.model, accounts),
            "model_version": pa.repeat(model.version, accounts),
            "is_active": pa.repeat(True, accounts),
            "status": statuses,
            "score": pa.array(scores.score, from_pandas=True),
            "band": pa.array([band.band for band in model.bands]).take(bands),
            "severity": pa.array([band.severity for band in model.bands], pa.int16()).take(bands),
            "coverage": scores.coverage,
            "metric_values": lists(scores.metric_values),
            "points": lists(scores.points),
            "contributions": lists(scores.contributions),
            "points_lost_to_cap": scores.points_lost,
        }
    )


def lists(values: Floats) -> pa.ListArray:
    """Rows (n, m) as n Arrow lists; NaN becomes null."""
    accounts, columns = values.shape
    ends = np.arange(0, (accounts + 1) * columns, columns, dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(values.ravel(), from_pandas=True))
