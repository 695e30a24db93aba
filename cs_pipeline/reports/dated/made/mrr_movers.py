"""Say which accounts made the difference to MRR between two months, for reports about revenue."""

from datetime import date, timedelta

import pandas as pd

from cs_pipeline.plays.messages.environment import is_missing
from cs_pipeline.reports.dated.asking import Asking, Row, left_out
from cs_pipeline.reports.dated.report import Column, Table
from cs_pipeline.reports.dated.words import account_words
from cs_pipeline.sql_files import read_sql

MOST_MOVERS = 15
_SQL = read_sql(__file__)


def movers(asking: Asking, month_before: date, most: int = MOST_MOVERS) -> pd.DataFrame:
    """Accounts whose MRR differs most between the end of `month_before` and that of the period."""
    opened = asking.period.first
    week_before = opened - timedelta(days=opened.weekday() + 7)
    parameters = {
        "month": asking.period.last_month,
        "month_before": month_before,
        "week_before": week_before,
        "most": most,
    }
    return asking.ask(_SQL, parameters)


def movers_table(rows: pd.DataFrame, asking: Asking, title: str = "Accounts that made the difference") -> Table:
    """Who they are, and what their score was when the period began: a loss that was Green is a blind spot."""
    records = rows.to_dict("records")
    return Table(
        title=title,
        columns=(
            Column("Account"),
            Column("MRR change", is_number=True),
            Column("MRR before", is_number=True),
            Column("MRR now", is_number=True),
            Column("What"),
            Column("Score when the period began", is_number=True),
            Column("Owner"),
        ),
        rows=tuple(
            (
                account_words(row["account_name"], row["account_id"]),
                asking.money.signed(row["mrr_change"]),
                asking.money(row["mrr_before"]),
                asking.money(row["mrr_after"]),
                _what(row),
                "no score" if is_missing(row["score_before"]) else f"{row['score_before']:.0f} {row['band_before']}",
                "" if is_missing(row["owner_email"]) or row["owner_email"] == "none" else row["owner_email"],
            )
            for row in records
        ),
        accounts=tuple(str(row["account_id"]) for row in records),
        more=left_out(rows),
        empty="No account pays more or less than before.",
    )


def _what(row: Row) -> str:
    if not row["mrr_before"]:
        return "came back" if row["has_paid_before"] else "new"
    if not row["mrr_after"]:
        return "left"
    return "grew" if row["mrr_change"] > 0 else "shrank"
