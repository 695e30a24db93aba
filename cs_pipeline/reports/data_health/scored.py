"""Read what scores rest on: the newest scored week, how much of each account's data was there, weeks without scores."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.history.holes import holes
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.rows import read_rows

Row = dict[str, Any]


@dataclass(frozen=True)
class Scored:
    """`week`: the newest; None where there is none. `models`: model, model_version, scored_at, of that week.

    `coverage`: floor (a tenth of the coverage, from 0), accounts, arr, of those with a score. `without`: status, why,
    accounts, arr, of those without one, or with one that is held from an earlier week. `holes`: weeks that were never
    scored, up to the last that has ended.
    """

    week: date | None
    accounts: int
    models: list[Row]
    coverage: list[Row]
    without: list[Row]
    holes: list[date]

    @property
    def unscored(self) -> int:
        """Accounts without a score of this week's data."""
        return sum(row["accounts"] for row in self.without)


WHY = {
    "held": "kept from an earlier week: the data of this one had not arrived when it was scored",
    "not_scored": "less of what the score is made of is known than its model asks for (`coverage_floor`)",
    "none": "no score is made of it: it was not a customer in that week, or no model is for such accounts",
}
"""Why an account has no score of the week's data, by status."""


def scored(session: Session, now: datetime) -> Scored:
    """Of the newest scored week."""
    (week,) = (row["week"] for row in read_rows(session, "select max(week) as week from cs.scored_weeks", {}))
    if week is None:
        return Scored(None, 0, [], [], [], [])
    rows = read_rows(session, read_sql(__file__), {"week": week})
    this_week = now.date() - timedelta(days=now.weekday())
    return Scored(
        week=week,
        accounts=sum(row["accounts"] for row in rows),
        models=read_rows(session, _MODELS, {"week": week}),
        coverage=[row for row in rows if row["status"] == "scored"],
        without=[{**row, "why": WHY[row["status"]]} for row in rows if row["status"] != "scored"],
        holes=holes(session, this_week - timedelta(days=7)),
    )


_MODELS = """
select model, model_version, scored_at
from cs.scored_weeks
where week = %(week)s
order by model
"""
