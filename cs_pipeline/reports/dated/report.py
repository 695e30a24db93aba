"""The form of every report: first what changed and what to decide, then tables, then charts. Pure.

How it looks as a page, a mail or in Slack is in `page`, `mail` and `slack`; what a report says is in `made`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cs_pipeline.reports.charts import Chart
from cs_pipeline.reports.dated.periods import Period


@dataclass(frozen=True)
class Column:
    """A column of a table. Numbers stand on the right."""

    title: str
    is_number: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of short texts. `accounts` are the ids of the accounts that rows are about, for links; '' for none.

    `more` rows are not shown; `empty` is said where there is no row.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str
    accounts: tuple[str, ...] = ()
    more: int = 0
    note: str = ""

    def first(self, count: int) -> "Table":
        """The table with its first `count` rows; the others are counted."""
        left_out = max(0, len(self.rows) - count)
        return Table(
            self.title,
            self.columns,
            self.rows[:count],
            self.empty,
            self.accounts[:count],
            self.more + left_out,
            self.note,
        )

    def words_of(self, row: Sequence[str]) -> str:
        """What a row says in words behind its first cell, for where there is room for figures alone beside that."""
        cells = zip(self.columns[1:], row[1:], strict=True)
        return " · ".join(cell for column, cell in cells if cell and not column.is_number)

    def numbers_of(self, row: Sequence[str]) -> list[str]:
        """The figures of a row, behind its first cell."""
        return [cell for column, cell in zip(self.columns[1:], row[1:], strict=True) if column.is_number]

    def account_of(self, place: int) -> str:
        """Id of the account that a row is about; '' for none."""
        return self.accounts[place] if place < len(self.accounts) else ""


@dataclass(frozen=True)
class Figure:
    """A chart. `finding` says in a sentence what is to be seen in it, also to those who do not see it."""

    name: str
    finding: str
    chart: Chart = field(repr=False)


@dataclass(frozen=True)
class Report:
    """One report about one period. `owner`: of whose accounts it is; '' of all.

    `notes` say what is missing, and what has no history and is therefore as it is today.
    """

    name: str
    title: str
    period: Period
    headline: str
    changes: tuple[str, ...]
    decisions: tuple[str, ...]
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    owner: str = ""

    @property
    def subject(self) -> str:
        """As a mail is called."""
        return f"{self.title}, {self.period.words}: {self.headline}"


def rows_of(records: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Rows as a table holds them."""
    return tuple(tuple(record) for record in records)
