"""Delete runs of Dagster that have ended long ago, with their events: Dagster has no setting for it.

Dagster deletes a run at a time, in several statements each; here a thousand go at once. What the UI shows of an asset
today stays: runs that made its newest materialization, in each partition, or the newest evaluation of a check. With a
run Dagster forgets its run key, so runs are kept longer than any schedule asks for the same key again
(`runs_kept_days`); that nobody is contacted twice does not hang on run keys.
"""

from dataclasses import dataclass
from datetime import datetime

from cs_pipeline.orchestration.instance_storage import schema_of_dagsters_tables
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.connection import Warehouse

AT_ONCE = 1_000
"""Runs a transaction: it holds its locks for a second or so, and what was deleted before an interruption stays so."""
ENDED = ["SUCCESS", "FAILURE", "CANCELED"]


@dataclass(frozen=True)
class Purged:
    """What was deleted."""

    runs: int
    events: int
    before: datetime

    @property
    def words(self) -> str:
        """The same, for a person."""
        return f"{self.runs:,} runs that ended before {self.before:%Y-%m-%d} and their {self.events:,} events deleted"


def purge_runs(warehouse: Warehouse, before: datetime, at_once: int = AT_ONCE) -> Purged:
    """Delete runs that ended before a moment. Safe at any time: runs under way are not looked at."""
    runs = events = 0
    with warehouse.session() as session, session.cursor() as cursor:
        dagster = schema_of_dagsters_tables(cursor)
        if dagster is None:
            return Purged(0, 0, before)
        cursor.execute(read_sql(__file__, "kept", dagster=dagster))
        piece = read_sql(__file__, "piece", dagster=dagster)
        values = {"ended": ENDED, "before": before, "at_once": at_once}
        while True:
            cursor.execute(piece, values)
            deleted_runs, deleted_events = cursor.fetchone() or (0, 0)
            session.commit()
            if not deleted_runs:
                break
            runs += deleted_runs
            events += deleted_events
        cursor.execute("drop table kept_runs")
    return Purged(runs, events, before)
