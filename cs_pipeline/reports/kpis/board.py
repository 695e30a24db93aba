"""KPIs for pages: all of a month with target and trend, one over the months and the parts, the bridge of MRR.

Reads only. What a KPI means is in `cs_pipeline.kpis`; its figures are dbt models.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.kpis.definition import KpiBook
from cs_pipeline.reports.kpis.values import BY_MONTH, PART_KINDS, VALUES
from cs_pipeline.warehouse.rows import read_rows

KINDS = PART_KINDS[1:]
"""By what KPIs are split, beside the whole."""
TREND_MONTHS = 13
MONTHS_SHOWN = 36
MOST_PARTS = 200
MOVEMENTS = ("new", "reactivation", "expansion", "contraction", "churn")
Row = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A part of the business, and a month by its first day; the whole, and the last month that was over, without."""

    kind: str = "all"
    segment: str = "all"
    month: date | None = None


@dataclass(frozen=True)
class Board:
    """`month`: that which is shown; `months`: all there are, newest first. Empty while KPIs were never built.

    `sections`: title and rows, as kpis.yaml arranges the dashboard, then all the others. Rows: the columns of
    `kpi_values`, formula and trend (values, oldest first). `bridge`: one row of marts.fct_mrr_bridge, if there is.
    """

    month: date | None
    months: list[date]
    sections: list[tuple[str, list[Row]]]
    parts: Mapping[str, list[str]]
    bridge: Row | None


@dataclass(frozen=True)
class KpiPage:
    """`months`: newest first, with value, low, high, numerator, denominator, n, meets_target, is_complete.

    `parts`: by kind, the same of each part in the month that is shown, those of most first.
    """

    row: Row
    month: date
    months: list[Row]
    parts: Mapping[str, list[Row]]


def kpi_board(session: Session, book: KpiBook, asked: Asked) -> Board:
    """All KPIs of a part in a month; those of `book` in its order."""
    if not _is_built(session):
        return Board(None, [], [], {}, None)
    months = [row["month"] for row in read_rows(session, _MONTHS, {"limit": MONTHS_SHOWN})]
    month = _month(session, asked)
    if month is None:
        return Board(None, months, [], {}, None)
    found = {row["kpi"]: row for row in _rows(session, asked, month)}
    on_dashboard = {name for section in book.dashboard for name in section.kpis}
    sections = [(section.section, _of(found, section.kpis)) for section in book.dashboard]
    others = _of(found, [name for name in book.kpis if name not in on_dashboard])
    bridges = read_rows(session, _BRIDGE, {"month": month, "kind": asked.kind, "segment": asked.segment})
    return Board(
        month,
        months,
        [(title, rows) for title, rows in [*sections, ("All others", others)] if rows],
        _parts(session, month),
        bridges[0] if bridges else None,
    )


def kpi_page(session: Session, kpi: str, asked: Asked) -> KpiPage:
    """One KPI. Raises UserError where there is none of that name, and while KPIs were never built."""
    month = _month(session, asked) if _is_built(session) else None
    found = [] if month is None else _rows(session, asked, month)
    row = next((each for each in found if each["kpi"] == kpi), None)
    if month is None or row is None:
        raise UserError(f"There is no KPI '{kpi}', or KPIs were never built; the page of KPIs lists those there are")
    values = {"kpi": kpi, "window": row["window_months"]}
    of_part = {"segment_kind": asked.kind, "segment": asked.segment, "months": MONTHS_SHOWN}
    months = read_rows(session, BY_MONTH, values | of_part)
    parts: dict[str, list[Row]] = {}
    for each in read_rows(session, _BY_PART, values | {"month": month, "most": MOST_PARTS}):
        parts.setdefault(each["segment_kind"], []).append(each)
    return KpiPage(row, month, months, {kind: parts[kind] for kind in KINDS if kind in parts})


def _rows(session: Session, asked: Asked, month: date) -> list[Row]:
    """Every KPI of the part in the month, each over its own window, with its trend."""
    part = {"segment_kind": asked.kind, "segment": asked.segment}
    return read_rows(session, VALUES, {"month": month, "window": None, "trend": TREND_MONTHS, **part})


def _is_built(session: Session) -> bool:
    found = read_rows(session, "select to_regclass('marts.fct_kpis') is not null as is_built", {})
    return bool(found[0]["is_built"])


def _month(session: Session, asked: Asked) -> date | None:
    """The month that is asked for, else the last that was over when KPIs were built, else the newest."""
    if asked.month is not None:
        return asked.month
    return read_rows(session, _NEWEST, {})[0]["month"]


def _parts(session: Session, month: date) -> dict[str, list[str]]:
    found = read_rows(session, _PARTS, {"month": month, "most": MOST_PARTS})
    return {
        kind: names for kind in KINDS if (names := [row["segment"] for row in found if row["segment_kind"] == kind])
    }


def _of(found: Mapping[str, Row], names: Any) -> list[Row]:
    return [{**found[name], "trend": found[name]["trend"] or []} for name in names if name in found]


_MONTHS = """
select month
from marts.fct_kpis
where kpi = 'mrr' and window_months = 1 and segment_kind = 'all'
order by month desc
limit %(limit)s
"""

_NEWEST = """
select coalesce(max(month) filter (where as_of_day = (month + interval '1 month')::date - 1), max(month)) as month
from marts.fct_kpis
where kpi = 'mrr' and window_months = 1 and segment_kind = 'all'
"""

_PARTS = """
select segment_kind, segment
from (
    select
        segment_kind,
        segment,
        row_number() over (partition by segment_kind order by n desc nulls last, segment) as place
    from marts.fct_kpis
    where kpi = 'mrr' and month = %(month)s and window_months = 1 and segment_kind <> 'all'
) as parts
where place <= %(most)s
order by segment_kind, segment
"""

_BRIDGE = """
select *
from marts.fct_mrr_bridge
where month = %(month)s and segment_kind = %(kind)s and segment = %(segment)s
"""

_BY_PART = """
select segment_kind, segment, value, low, high, numerator, denominator, n, meets_target
from (
    select
        *,
        row_number() over (partition by segment_kind order by n desc nulls last, segment) as place
    from marts.fct_kpis
    where kpi = %(kpi)s and month = %(month)s and window_months = %(window)s and segment_kind <> 'all'
) as parts
where place <= %(most)s
order by segment_kind, place
"""
