"""Reports as lists and plain values: which there are, which were made, and one of them for programs."""

from typing import Any

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.reports.dated.catalogue import KINDS
from cs_pipeline.reports.dated.report import Report, Table
from cs_pipeline.reports.dated.routes import load_routes
from cs_pipeline.settings import Settings


def report_list(session: Session, settings: Settings) -> pd.DataFrame:
    """Columns report, rhythm, to, last_period, made_at, says: every report there is.

    Raises InvalidFile where reports.yaml is wrong.
    """
    routes = load_routes(settings.config).reports
    with session.cursor() as cursor:
        cursor.execute(
            """
            select distinct on (report) report, period, made_at
            from cs.reports
            where owner = ''
            order by report, period desc
            """
        )
        made = {report: (period, made_at) for report, period, made_at in cursor.fetchall()}
    return pd.DataFrame(
        [
            {
                "report": kind.name,
                "rhythm": kind.rhythm,
                "to": ", ".join(routes[kind.name].to) if kind.name in routes else "",
                "last_period": made.get(kind.name, (None, None))[0],
                "made_at": made.get(kind.name, (None, None))[1],
                "says": kind.says,
            }
            for kind in KINDS.values()
        ],
        dtype="object",
    )


def table_frame(table: Table) -> pd.DataFrame:
    """A table of a report, its titles as columns."""
    return pd.DataFrame(list(table.rows), columns=[column.title for column in table.columns], dtype="object")


def report_as_plain(report: Report) -> dict[str, Any]:
    """A report for programs: everything that its page says, charts by what is to be seen in them."""
    return {
        "report": report.name,
        "title": report.title,
        "period": report.period.first,
        "period_end": report.period.end,
        "as_of": report.period.as_of,
        "owner": report.owner or None,
        "headline": report.headline,
        "changes": report.changes,
        "decisions": report.decisions,
        "tables": [
            {
                "title": table.title,
                "rows": [
                    {
                        **dict(zip([column.title for column in table.columns], row, strict=True)),
                        **({"account_id": table.account_of(place)} if table.account_of(place) else {}),
                    }
                    for place, row in enumerate(table.rows)
                ],
                "more": table.more,
            }
            for table in report.tables
        ],
        "charts": [{"name": figure.name, "finding": figure.finding} for figure in report.figures],
        "notes": report.notes,
    }
