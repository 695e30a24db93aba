"""Open triggers as the weekly job does, for tests that have no marts."""

from datetime import UTC, date, datetime, time, timedelta

from cs_pipeline.plays.triggers.causes import Moment
from cs_pipeline.plays.triggers.kinds import open_stored
from cs_pipeline.warehouse.connection import Warehouse


def open_triggers(warehouse: Warehouse, week: date) -> dict[str, int]:
    """The triggers of the live `week` whose causes are rows of our tables; returns how many are new, by kind."""
    monday = datetime.combine(week + timedelta(days=7), time(6), UTC)
    return open_stored(warehouse, "weekly", Moment(week, monday, is_live=True))
