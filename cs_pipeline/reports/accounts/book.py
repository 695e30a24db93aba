"""Search, filter and sort every account, a page at a time, from `cs.account_overview`. Reads only.

A page goes on after the last row of the one before (keyset), so the thousandth costs what the first does.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.rows import read_rows

MOST_CHOICES = 300
CHOICES = ("band", "tier", "plan", "industry", "stage", "owner", "segment")
COUNTED = 10_000
"""Accounts are counted up to so many."""


@dataclass(frozen=True)
class Sort:
    """By which column that is never missing, its type, in words, and whether the largest come first."""

    column: str
    type: str
    title: str
    is_descending: bool = False


SORTS: Mapping[str, Sort] = {
    "score": Sort("score_rank", "double precision", "lowest score"),
    "score_high": Sort("score_rank", "double precision", "highest score", is_descending=True),
    "drop": Sort("change", "double precision", "biggest drop"),
    "rise": Sort("change", "double precision", "biggest rise", is_descending=True),
    "arr": Sort("arr", "double precision", "highest ARR", is_descending=True),
    "arr_low": Sort("arr", "double precision", "lowest ARR"),
    "renewal": Sort("renewal_rank", "date", "next renewal"),
    "renewal_late": Sort("renewal_rank", "date", "last renewal", is_descending=True),
    "name": Sort("name_rank", "text", "name"),
    "name_last": Sort("name_rank", "text", "name, Z first", is_descending=True),
}
FILTERS: Mapping[str, str] = {
    "band": "overview.band = %(band)s",
    "at_risk": "overview.is_at_risk",
    "tier": "overview.tier = %(tier)s",
    "plan": "overview.plan = %(plan)s",
    "industry": "overview.industry = %(industry)s",
    "stage": "overview.lifecycle_stage = %(stage)s",
    "owner": "overview.owner_email = %(owner)s",
    "segment": "overview.account_id in (select account_id from cs.segment_members where segment = %(segment)s)",
    "renews": "overview.renewal_date between %(today)s and %(today)s + %(renews)s::integer",
    "alerts": (
        "overview.account_id in (select account_id from cs.alerts "
        "where state in ('firing', 'recovering') and not is_held and account_id is not null)"
    ),
    "falls": "overview.change <= -1",
    "cancels": "overview.has_cancellation_request",
}
"""What accounts can be filtered by, with the condition in SQL."""


@dataclass(frozen=True)
class Question:
    """What the book is asked: words to search for, filters by name, a sort, and after which row to go on."""

    search: str = ""
    filters: Mapping[str, str] | None = None
    sort: str = "score"
    after: str = ""


@dataclass(frozen=True)
class BookPage:
    """`rows`: columns of `cs.account_overview`, and open_alerts, trend (scores of the last 12 weeks, oldest first).

    `after`: the row to go on after; empty on the last page. `count` is at most COUNTED, and `is_more` says that there
    are more. `week`: as of which all of it is; None where no week is scored.
    """

    rows: list[dict[str, Any]]
    after: str
    count: int
    is_more: bool
    week: date | None


def book_page(session: Session, question: Question, today: date, limit: int = 50) -> BookPage:
    """A page of accounts. Raises UserError for a sort or a filter that there is not."""
    sort = SORTS.get(question.sort)
    if sort is None:
        raise UserError(f"Accounts cannot be sorted by '{question.sort}'; there are: {', '.join(SORTS)}")
    asked = {name: value for name, value in (question.filters or {}).items() if value}
    if unknown := sorted(set(asked) - set(FILTERS)):
        raise UserError(f"Accounts cannot be filtered by '{unknown[0]}'; there are: {', '.join(FILTERS)}")
    days = asked.get("renews", "0")
    if not (days.isascii() and days.isdigit() and len(days) < 5):
        raise UserError(f"'renews' takes a whole number, not '{days}'")
    conditions = [FILTERS[name] for name in asked]
    if question.search:
        conditions.append("(overview.account_id = %(search)s or overview.name_rank like lower(%(part)s))")
    part = "%" + re.sub(r"([\\%_])", r"\\\1", question.search) + "%"
    values = {**asked, "search": question.search, "part": part, "today": today, "limit": limit + 1, "counted": COUNTED}
    chosen = " and ".join(conditions) or "true"
    fitting = read_rows(session, _FITTING.format(asked=chosen), values)
    count = len(fitting)
    if conditions and count <= COUNTED:  # few enough to name: nothing is searched a second time
        chosen, values["fitting"] = "overview.account_id = any(%(fitting)s)", [row["account_id"] for row in fitting]
    goes_on, position = _after(sort, question.after)
    way = "desc" if sort.is_descending else "asc"
    ordered = f"overview.{sort.column} {way}, overview.account_id {way}"
    sql = read_sql(__file__, asked=chosen, goes_on=goes_on, ordered=ordered)
    rows = read_rows(session, sql, {**values, **position})
    newest = read_rows(session, "select week from cs.account_overview limit 1", {})  # they are all of one week
    shown = rows[:limit]
    after = f"{shown[-1][sort.column]}|{shown[-1]['account_id']}" if len(rows) > limit else ""
    return BookPage(shown, after, min(count, COUNTED), count > COUNTED, newest[0]["week"] if newest else None)


_FITTING = """
select overview.account_id
from cs.account_overview as overview
where {asked}
limit %(counted)s + 1
"""


def choices(session: Session) -> Mapping[str, Sequence[str]]:
    """What filters can be set to, by filter: the worst bands first, of the others those of most accounts.

    Keys: band, tier, plan, industry, stage, owner, segment; no more than MOST_CHOICES each.
    """
    rows = read_rows(session, _CHOICES, {"most": MOST_CHOICES})
    return {name: [row["value"] for row in rows if row["filter"] == name] for name in CHOICES}


def accounts_by_band(session: Session) -> list[dict[str, Any]]:
    """Columns value (the band, or `no score`), severity, accounts, arr: the worst first, not scored last."""
    return read_rows(
        session,
        """
        select value, severity, accounts, arr
        from cs.account_overview_values
        where filter = 'band'
        order by severity desc nulls last
        """,
        {},
    )


_CHOICES = """
with ranked as (
    select
        filter,
        value,
        row_number() over (partition by filter order by severity desc nulls last, accounts desc, value) as place
    from cs.account_overview_values
    where filter <> 'band' or severity is not null
    union all
    select 'segment', segment, row_number() over (order by segment)
    from cs.segments
)

select filter, value
from ranked
where place <= %(most)s
order by filter, place
"""


def _after(sort: Sort, after: str) -> tuple[str, dict[str, str]]:
    """The condition for rows after the one named, and its values; any row where the name makes no sense."""
    value, separator, account_id = after.partition("|")
    if not separator or not _fits(sort.type, value):
        return "true", {}
    sign = "<" if sort.is_descending else ">"
    row = f"(overview.{sort.column}, overview.account_id)"
    cast = 'text collate "C"' if sort.type == "text" else sort.type
    return f"{row} {sign} (%(after_value)s::{cast}, %(after_id)s)", {"after_value": value, "after_id": account_id}


def _fits(type_name: str, value: str) -> bool:
    try:
        if type_name == "double precision":
            float(value)
        elif type_name == "date":
            date.fromisoformat(value)
    except ValueError:
        return False
    return "\0" not in value
