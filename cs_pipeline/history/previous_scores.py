"""Which two scores of an account are compared: that of a week, and the one before it."""

from datetime import date

from adbc_driver_manager.dbapi import Connection

from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.weeks import WEEK
from cs_pipeline.warehouse.bulk import read_table

LOOK_BACK = 4 * WEEK

Versions = dict[str, tuple[str, ...]]
"""Metrics of every version of every score model, in the order of its arrays."""


def compared_scores(model: ScoreModel, week: date, scope: Scope) -> str:
    """A select of the week's active scores under `model` with the score before each in columns `from_…`.

    The score before is that of the week before, or else the latest within LOOK_BACK; without one the columns are
    null. An account that is not scored is there only when it was scored the week before.
    """
    earlier = ", ".join(
        f"coalesce(last_week.{column}, gap.{column}) as from_{column}"
        for column in (
            "week", "score", "band", "severity", "model", "model_version", "metric_values", "contributions",
        )
    )  # fmt: skip
    return f"""
        select
            scores.account_id,
            scores.score,
            scores.band,
            scores.severity,
            scores.metric_values,
            scores.override_id::text as override_id,
            coalesce(last_week.override_id, gap.override_id)::text as from_override_id,
            {_is_scored_by_model("scores")} as is_scored_by_model,
            coalesce({_is_scored_by_model("last_week")}, {_is_scored_by_model("gap")}) as was_scored_by_model,
            {earlier}
        from cs.health_scores as scores
        left join cs.health_scores as last_week
            on scores.account_id = last_week.account_id
            and last_week.week = date '{week - WEEK}'
            and last_week.is_active
            and last_week.score is not null
        left join lateral (
            select before.*
            from cs.health_scores as before
            where
                last_week.account_id is null
                and before.account_id = scores.account_id
                and before.is_active
                and before.score is not null
                and before.week >= date '{week - LOOK_BACK}'
                and before.week < date '{week - WEEK}'
            order by before.week desc
            limit 1
        ) as gap on true
        where
            scores.week = date '{week}'
            and scores.is_active
            and scores.model = '{model.model}'
            and scores.model_version = '{model.version}'
            and (scores.score is not null or last_week.account_id is not null)
            and {scope.condition("scores", "scores.week")}
    """


def _is_scored_by_model(scores: str) -> str:
    """SQL: whether the model itself has a score in a row that has one; null without the row."""
    return f"({scores}.score is not null and ({scores}.override_id is null or {scores}.model_score is not null))"


def metrics_by_version(connection: Connection) -> Versions:
    """The metrics of all versions that ever scored a week; a version is of one model only, being its hash."""
    rows = read_table(connection, "select model_version, metrics from cs.score_models").to_pylist()
    return {row["model_version"]: tuple(row["metrics"]) for row in rows}
