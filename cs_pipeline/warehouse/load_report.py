"""Report a load to its caller: progress while it runs, the counts of every table at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cs_pipeline.warehouse.rejects import RejectCount

Stage = Literal["reading", "checking", "writing", "done"]


@dataclass(frozen=True)
class Progress:
    """Where a load is. `fraction` (0 to 1) of the table's bytes read; `rows` read so far."""

    table: str
    stage: Stage
    rows: int
    fraction: float


OnProgress = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Reports progress to nobody."""


@dataclass(frozen=True)
class TableReport:
    """What became of one table's rows: read = loaded (new or changed) + unchanged + rejected. `seconds` of wall time;
    `reasons` why rows and values were put aside, rows first, most frequent first. `since`: only what changed since then
    was read of some mapping. `rows_vanished`: rows that mappings brought before and not this time, when all was read;
    `rows_removed`: those that were deleted because somebody asked for it.
    """

    table: str
    origins: tuple[str, ...]
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    seconds: float
    reasons: tuple[RejectCount, ...] = ()
    since: datetime | None = None
    rows_vanished: int = 0
    rows_removed: int = 0

    @property
    def rows_unchanged(self) -> int:
        """Rows that the warehouse already held just so."""
        return self.rows_read - self.rows_loaded - self.rows_rejected

    @property
    def values_put_aside(self) -> int:
        """Values that could not be read, of rows that were kept without them."""
        return sum(reason.rows for reason in self.reasons if reason.row_kept)

    @property
    def rows_fallen(self) -> int:
        """Rejected rows that are sound themselves, but whose account (or user) was put aside."""
        return sum(reason.rows for reason in self.reasons if reason.fell_with_its_parent)

    @property
    def rows_per_second(self) -> float:
        """Rows read a second, from the file to the end of the transaction's work."""
        return self.rows_read / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class LoadReport:
    """One report a table, in the order of loading."""

    tables: tuple[TableReport, ...]

    def __getitem__(self, table: str) -> TableReport:
        return {report.table: report for report in self.tables}[table]

    @property
    def rows_read(self) -> int:
        """Over all tables."""
        return sum(report.rows_read for report in self.tables)

    @property
    def rows_loaded(self) -> int:
        """Over all tables: new or changed."""
        return sum(report.rows_loaded for report in self.tables)

    @property
    def rows_unchanged(self) -> int:
        """Over all tables."""
        return sum(report.rows_unchanged for report in self.tables)

    @property
    def rows_rejected(self) -> int:
        """Over all tables."""
        return sum(report.rows_rejected for report in self.tables)

    @property
    def values_put_aside(self) -> int:
        """Over all tables."""
        return sum(report.values_put_aside for report in self.tables)

    @property
    def rows_fallen(self) -> int:
        """Over all tables."""
        return sum(report.rows_fallen for report in self.tables)

    @property
    def seconds(self) -> float:
        """Over all tables."""
        return sum(report.seconds for report in self.tables)
