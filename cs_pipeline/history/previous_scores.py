"""Select the two scores of an account that are compared: that of a week, and the one before it."""

from datetime import date

from adbc_driver_manager.dbapi import Connection

from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.weeks import WEEK
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.bulk import literal, read_table

LOOK_BACK = 4 * WEEK

Versions = dict[str, tuple[str, ...]]
"""Metrics of every version of every score model, in the order of its arrays."""


def compared_scores(model: ScoreModel, week: date, scope: Scope) -> str:
    """A select of the week's active scores under `model` with the score before each in columns `from_…`.

    The score before is that of the week before, or else the latest within LOOK_BACK; without one the columns are
    null. An account that is not scored is there only when it was scored the week before.
    """
    return read_sql(
        __file__,
        week=literal(week),
        last_week=literal(week - WEEK),
        look_back=literal(week - LOOK_BACK),
        model=literal(model.model),
        version=literal(model.version),
        in_scope=scope.condition("scores", "scores.week"),
    )


def metrics_by_version(connection: Connection) -> Versions:
    """The metrics of all versions that ever scored a week; a version is of one model only, being its hash."""
    rows = read_table(connection, "select model_version, metrics from cs.score_models").to_pylist()
    return {row["model_version"]: tuple(row["metrics"]) for row in rows}
