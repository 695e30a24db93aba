"""Weeks scored by one more version of a model, beside what counts: nothing that anybody reads without asking changes.

The marts are taken as they stand. Nobody is contacted, no change is recorded, no other row is touched.
"""

from collections.abc import Callable
from datetime import date

from cs_pipeline.errors import UserError
from cs_pipeline.health.selection import beside
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.history.week_summary import WeekSummary
from cs_pipeline.history.weeks import require_marts, weeks_between
from cs_pipeline.warehouse.bulk import read_rows
from cs_pipeline.warehouse.connection import Warehouse


def rescore(
    warehouse: Warehouse,
    model: ScoreModel,
    first: date,
    last: date,
    scope: Scope,
    *,
    on_week: Callable[[WeekSummary], None] | None = None,
) -> list[WeekSummary]:
    """Score the weeks `first` to `last` (Mondays) under `model`; doing it again gives the same rows.

    Where this very version counts already, its rows stay as they are and are not counted.
    Raises UserError for weeks that are none, or that the marts do not have.
    """
    weeks = weeks_between(first, last)
    require_marts(warehouse, "fct_account_weeks")
    (built,) = read_rows(
        warehouse, "select min(week)::text as first, max(week)::text as last from marts.fct_account_weeks"
    )
    if built["first"] is None or str(first) < built["first"] or str(last) > built["last"]:
        have = "no week" if built["first"] is None else f"the weeks {built['first']} to {built['last']}"
        raise UserError(f"The marts have {have}; build {first} to {last} first, with `cs-pipeline backfill`")
    return score_weeks(warehouse, beside(model), weeks, scope, on_week=on_week)
