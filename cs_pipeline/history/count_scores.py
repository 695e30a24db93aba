"""Count the scores of a week from its rows, where no one process has written them all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from adbc_driver_manager.dbapi import Connection

from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.score_rows import NOT_SCORED
from cs_pipeline.history.week_summary import BINS, ScoreSummary, WeekSummary
from cs_pipeline.warehouse.bulk import read_table


def count_week(connection: Connection, models: Sequence[ScoreModel], week: date, scope: Scope) -> WeekSummary:
    """What the week's rows of these versions come to, as `score_weeks` would have summed it up."""
    counted = WeekSummary(week, by_model={model.model: ScoreSummary() for model in models})
    for model in models:
        for row in read_table(connection, _counts(model, week, scope)).to_pylist():
            _add(counted.by_model[model.model], model, row)
            if row["is_active"]:
                _add(counted.active, model, row)
                counted.held += row["held"]
    return counted


def _counts(model: ScoreModel, week: date, scope: Scope) -> str:
    known = ", ".join(f"count(points[{position}])" for position in range(1, len(model.metrics) + 1))
    return f"""
        select
            is_active,
            coalesce(band, '{NOT_SCORED}') as band,
            case when score is not null then least(floor(score / {100 / BINS}), {BINS - 1})::integer end as bin,
            count(*) as accounts,
            coalesce(sum(score), 0) as total_score,
            sum(coverage) as total_coverage,
            count(*) filter (where status = 'held') as held,
            array[{known}]::bigint[] as known
        from cs.health_scores as scores
        where
            week = date '{week}'
            and model = '{model.model}'
            and model_version = '{model.version}'
            and {scope.condition("scores", "scores.week")}
        group by 1, 2, 3
        order by 1, 2, 3
    """


def _add(summary: ScoreSummary, model: ScoreModel, row: Mapping[str, Any]) -> None:
    summary.accounts += row["accounts"]
    summary.bands += Counter({row["band"]: row["accounts"]})
    summary.known += Counter(dict(zip(model.metric_names, row["known"], strict=True)))
    if row["bin"] is not None:
        summary.distribution[row["bin"]] += row["accounts"]
    summary.total_score += row["total_score"]
    summary.total_coverage += row["total_coverage"]
