"""Renewals that come, and those that are overdue: health, ARR, days left, likelihood, window, plans. Reads only.

When a window opens is decided in `cs_pipeline.renewals`, how likely a renewal is in `kpis.forecast`; what the forecasts
come to by month, and how good they were, is in `reports.kpis.forecast`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.rows import read_rows

AT_A_TIME = 50
MOST_PAGES = 200
WITHIN = (30, 60, 90, 120, 180)
"""Days ahead that a page looks."""
OVERDUE = 30
"""Days for which a renewal that nobody has closed is shown."""
Row = dict[str, Any]

SORTS: Mapping[str, tuple[str, str]] = {
    "date": ("Next first", "{of}.renewal_rank asc, {of}.account_id asc"),
    "arr": ("ARR", "{of}.arr desc, {of}.account_id asc"),
    "score": ("Lowest score", "{of}.score_rank asc, {of}.account_id asc"),
}
"""Orders by name: title, and the order in SQL."""
TYPES = ("auto", "manual")


@dataclass(frozen=True)
class RenewalQuestion:
    """What is asked for; empty texts ask for all. `page` counts from 0."""

    within: int = 90
    owner: str = ""
    type: str = ""
    at_risk: bool = False
    sort: str = "date"
    page: int = 0


@dataclass(frozen=True)
class Renewals:
    """`rows`: as of renewals.sql. `spans`: days, count, arr, arr_at_risk, of what fits, of 30, 60, 90 days and so on.

    The span of 0 days holds those that are overdue.
    """

    rows: list[Row]
    spans: list[Row]
    has_next: bool


def renewals(session: Session, question: RenewalQuestion, today: date, limit: int = AT_A_TIME) -> Renewals:
    """A page of renewals. Raises UserError where a name of the question is none of ours."""
    if question.sort not in SORTS:
        raise UserError(f"sort is '{question.sort}'; expected {', '.join(SORTS)}")
    if question.type and question.type not in TYPES:
        raise UserError(f"type is '{question.type}'; expected {', '.join(TYPES)}")
    shown = " and ".join(
        [
            "overview.renewal_rank between %(first)s and %(last)s",
            *(["lower(overview.owner_email) = %(owner)s"] if question.owner else []),
            *(["overview.renewal_type = %(type)s"] if question.type else []),
            *(["overview.is_at_risk"] if question.at_risk else []),
        ]
    )
    values = {
        "today": today,
        "first": today - timedelta(days=OVERDUE),
        "last": today + timedelta(days=question.within),
        "first_week": today - timedelta(days=OVERDUE + 180 + 14),
        "owner": question.owner.lower(),
        "type": question.type,
        "limit": limit + 1,
        "offset": min(question.page, MOST_PAGES) * limit,
        "spans": [0, *(days for days in WITHIN if days <= question.within)],
    }
    order = SORTS[question.sort][1]
    sql = read_sql(__file__, asked=shown, ordered=order.format(of="overview"), order_again=order.format(of="chosen"))
    rows = read_rows(session, sql, values)
    spans = read_rows(session, _SPANS.format(shown=shown), values)
    return Renewals(rows[:limit], spans, len(rows) > limit and question.page < MOST_PAGES)


_SPANS = """
with found as (
    select
        overview.arr,
        overview.is_at_risk,
        overview.renewal_rank - %(today)s::date as days_left
    from cs.account_overview as overview
    where {shown}
)

select
    spans.days,
    count(found.arr)::integer as count,
    coalesce(sum(found.arr), 0) as arr,
    coalesce(sum(found.arr) filter (where found.is_at_risk), 0) as arr_at_risk
from unnest(%(spans)s::integer[]) as spans (days)
left join found
    on (spans.days = 0 and found.days_left < 0) or (spans.days > 0 and found.days_left between 0 and spans.days)
group by spans.days
order by spans.days
"""
