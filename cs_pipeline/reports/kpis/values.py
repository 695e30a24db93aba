"""Read KPIs: all of a month, or one of them over the months and over the parts of the business. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.kpis.definition import KpiBook
from cs_pipeline.reports.kpis.asking import BUILT_BY, ask_kpis
from cs_pipeline.sql_files import read_sql

PART_KINDS = ("all", "tier", "segment", "owner", "cohort")
VALUES = read_sql(__file__)
BY_MONTH = read_sql(__file__, "by_month")


@dataclass(frozen=True)
class Part:
    """A part of the business, such as tier `enterprise`; the whole is `all` of `all`."""

    kind: str = "all"
    name: str = "all"

    @classmethod
    def parse(cls, words: str) -> "Part":
        """From `tier=enterprise`; empty is the whole. Raises UserError for anything else."""
        kind, equals, name = words.partition("=")
        if not words:
            return WHOLE
        if not (equals and name and kind in PART_KINDS):
            raise UserError(
                f"{words!r} is no part of the business; say {' or '.join(PART_KINDS[1:])}, as tier=enterprise"
            )
        return cls(kind, name)


WHOLE = Part()


def kpi_values(
    session: Session, book: KpiBook, month: date | None = None, part: Part = WHOLE, window: int | None = None
) -> pd.DataFrame:
    """Every KPI in the order of `book`, one row each; without a figure where nothing was there to measure.

    `month`: its first day; without, the last that was over when KPIs were built. `window`: in months; without, that
    of each KPI. Columns: kpi, title, unit, good, basis, window_months, month, value, value_before (a month earlier),
    low, high, numerator, denominator, n, target, target_kind, meets_target, if_missed, is_complete.
    Raises UserError while KPIs are not built, or where no KPI has this part.
    """
    values = {"month": month, "window": window, "segment_kind": part.kind, "segment": part.name, "trend": 0}
    found = ask_kpis(session, VALUES, values).drop(columns=["formula", "trend"])
    if found.empty or found["month"].isna().all():
        raise UserError(f"No month has been over yet when KPIs were built; run {BUILT_BY} once one is")
    if part != WHOLE and found["value"].isna().all() and found["n"].isna().all():
        known = ask_kpis(session, _PARTS, {"segment_kind": part.kind})["segment"].tolist()
        raise UserError(f"No {part.kind} is called '{part.name}'; there are: {', '.join(known[:20]) or 'none'}")
    order = {name: place for place, name in enumerate(book.kpis)}
    return found.sort_values("kpi", key=lambda names: names.map(order).fillna(len(order)), ignore_index=True)


def of_dashboard(found: pd.DataFrame, book: KpiBook) -> Mapping[str, pd.DataFrame]:
    """The rows of `kpi_values` that the dashboard shows, by its sections, in its order."""
    by_name = found.set_index("kpi", drop=False)
    return {each.section: by_name.loc[list(each.kpis)].reset_index(drop=True) for each in book.dashboard}


def kpi_by_month(session: Session, kpi: str, window: int, part: Part = WHOLE, months: int = 13) -> pd.DataFrame:
    """The last `months` months of a KPI, the newest first.

    Columns: month, value, low, high, numerator, denominator, n, target, meets_target, is_complete.
    """
    values = {"kpi": kpi, "window": window, "segment_kind": part.kind, "segment": part.name, "months": months}
    return ask_kpis(session, BY_MONTH, values)


def kpi_by_part(session: Session, kpi: str, window: int, kind: str, month: date | None = None) -> pd.DataFrame:
    """A KPI of each part of a kind, the largest parts first: segment, value, low, high, numerator, denominator, n.

    `month`: its first day; without, the last that was over.
    """
    return ask_kpis(session, _BY_PART, {"kpi": kpi, "window": window, "segment_kind": kind, "month": month})


def definition_of(book: KpiBook, kpi: str) -> Mapping[str, Any]:
    """What is said of a KPI, as plain values. Raises UserError that suggests the one that was meant."""
    if kpi not in book.kpis:
        close = get_close_matches(kpi, book.kpis, n=1)
        meant = f"did you mean {close[0]}?" if close else "`cs-pipeline kpi list` has all"
        raise UserError(f"There is no KPI '{kpi}'; {meant}")
    target = book.target(kpi)
    said = book.kpis[kpi].model_dump(exclude={"targets"})
    return {"kpi": kpi, **said, "target": target and target.bound, "target_kind": target and target.kind}


_PARTS = """
select segment
from marts.fct_kpis
where kpi = 'mrr' and window_months = 1 and segment_kind = %(segment_kind)s
group by segment
order by max(value) desc nulls last, segment
limit 50
"""
_BY_PART = """
select segment, value, low, high, numerator, denominator, n
from marts.fct_kpis
where
    kpi = %(kpi)s
    and window_months = %(window)s
    and segment_kind = %(segment_kind)s
    and month = coalesce(%(month)s::date, (
        select max(month)
        from marts.fct_kpis
        where
            kpi = 'mrr'
            and segment_kind = 'all'
            and as_of_day = (month + interval '1 month')::date - 1
    ))
order by n desc, segment
"""
