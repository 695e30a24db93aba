"""Run the queries of a report: the period, the owner and the moment that all of them ask for."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.facts.query import WEEKLY, ask_marts
from cs_pipeline.reports.dated.periods import Period
from cs_pipeline.reports.dated.words import Money
from cs_pipeline.settings import Settings

Row = Mapping[Hashable, Any]
NEEDS, BUILT_BY = "Reports need", f"{WEEKLY} and for KPIs `cs-pipeline kpi build`,"
NOT_DATED = "Titles of accounts, alerts and plays are as they are called today."


def left_out(rows: pd.DataFrame) -> int:
    """How many rows a query has besides those that it gave; its column `of_all` counts all of them."""
    return int(rows["of_all"].iloc[0]) - len(rows) if len(rows) else 0


@dataclass(frozen=True)
class Asking:
    """What a report is made for: the period, of whose accounts ('' of all), and how money is written."""

    session: Session
    settings: Settings
    period: Period
    money: Money
    owner: str = ""

    @property
    def parameters(self) -> dict[str, object]:
        """What every query may ask for: owner, first, end and as_of of the period, and its last week."""
        return {
            "owner": self.owner or None,
            "first": self.period.first,
            "end": self.period.end,
            "as_of": self.period.as_of,
            "week": self.period.last_week,
        }

    def ask(self, sql: str, more: Mapping[str, object] | None = None) -> pd.DataFrame:
        """The rows of a query. Raises UserError while the marts are not built."""
        return ask_marts(self.session, sql, {**self.parameters, **(more or {})}, who_needs=NEEDS, built_by=BUILT_BY)

    def one(self, sql: str, more: Mapping[str, object] | None = None) -> Row:
        """The only row of a query."""
        (row,) = self.ask(sql, more).to_dict("records")
        return row
