"""Count how metrics and scores are distributed, week by week, for the versions that count (`cs.score_distributions`).

Each week is counted once, and again when it is scored again. What the counts say of a week is in `drift`.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from cs_pipeline.backtest.calibrations import listed, not_counted, versions_of
from cs_pipeline.history.weeks import execute, lock_week
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.bulk import literal
from cs_pipeline.warehouse.connection import Warehouse

REFERENCE_WEEKS = 52
"""Weeks before a week, or before a fitted model was made, that it is compared with."""


def record_distributions(warehouse: Warehouse, weeks: Sequence[date]) -> None:
    """Count the weeks that are missing: `weeks` themselves, and those that they are compared with."""
    if not weeks:
        return
    with warehouse.arrow() as connection:
        for week in sorted(weeks):
            lock_week(connection, "score_distributions", week)
        asked = versions_of(connection, weeks)
        if asked.empty:
            return
        reach = timedelta(weeks=REFERENCE_WEEKS)
        spans = [(asked["week"].min() - reach, asked["week"].max())]
        spans += [(until - reach, until) for until in asked["learned_until"].dropna().unique()]
        within = " or ".join(f"week between {literal(first)} and {literal(last)}" for first, last in spans)
        missing = not_counted(connection, "score_distributions", asked, within)
        if len(missing):
            execute(connection, read_sql(__file__, "counts", weeks=listed(missing)))
        connection.commit()
