"""Weeks that were never scored, and weeks that no live run ever saw: the result of a machine that was off.

A hole is a week without scores after the first that has them. A missed week is one that came after a live week and was
not live itself, whether or not it was filled since: of its renewal windows nobody was told.
"""

from collections.abc import Sequence
from datetime import date

from psycopg2.extensions import connection as Session

from cs_pipeline.history.weeks import WEEK
from cs_pipeline.warehouse.spread import is_spread

RETRIED_FOR = 13 * WEEK
"""How far back the schedule asks again for a hole that lies between scored weeks; its run may have failed."""

_WEEK_AFTER_WEEK = """
with recursive scored (week) as (
    select min(week) from cs.health_scores
    union all
    select (select min(week) from cs.health_scores where week > scored.week)
    from scored
    where scored.week is not null
)
select array_agg(week order by week) from scored where week is not null
"""
"""A look into the index for each week, where `distinct` would read all scores."""
_EACH_WEEK = "select array_agg(week order by week) from (select distinct week from cs.health_scores) as scored"
"""Where tables are spread over servers, which have no recursion over all of them: each reads its own."""


def holes(session: Session, until: date) -> list[date]:
    """Weeks after the first scored one, and before `until`, that have no scores, in order."""
    with session.cursor() as cursor:
        cursor.execute(_EACH_WEEK if is_spread(cursor) else _WEEK_AFTER_WEEK)
        (scored,) = cursor.fetchone() or (None,)
    if not scored:
        return []
    found, week = [], scored[0]
    while week < until:
        if week not in scored:
            found.append(week)
        week += WEEK
    return found


def holes_to_fill(found: Sequence[date], last_scored: date | None, week: date) -> list[tuple[date, date]]:
    """The holes that a run of `week` is to be preceded by, as ranges.

    All since `last_scored`, the newest scored week before `week`; older ones of the last RETRIED_FOR.
    """
    oldest = week - RETRIED_FOR
    return ranges_of(
        [hole for hole in found if hole < week and (hole >= oldest or (last_scored and hole > last_scored))]
    )


def ranges_of(weeks: Sequence[date]) -> list[tuple[date, date]]:
    """Weeks in order as ranges without a gap: first and last week of each."""
    ranges: list[tuple[date, date]] = []
    for week in weeks:
        if ranges and ranges[-1][1] + WEEK == week:
            ranges[-1] = (ranges[-1][0], week)
        else:
            ranges.append((week, week))
    return ranges


def last_scored(session: Session, before: date) -> date | None:
    """The newest week before `before` that has scores."""
    with session.cursor() as cursor:
        cursor.execute("select max(week) from cs.health_scores where week < %s", [before])
        (week,) = cursor.fetchone() or (None,)
        return week
