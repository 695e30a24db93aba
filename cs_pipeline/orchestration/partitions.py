"""Weeks as Dagster partitions. The one place that knows how a partition key becomes a week.

A week is Monday 00:00 to Monday 00:00 UTC; its key is the Monday it starts, and it is scored as of the next Monday.
"""

from datetime import date, datetime, timedelta

import dagster as dg

from cs_pipeline.errors import UserError
from cs_pipeline.history.weeks import weeks_between

ONE_WEEK = timedelta(days=7)


def weekly_partitions(first_week: date, present: datetime | None = None) -> dg.WeeklyPartitionsDefinition:
    """Weeks from `first_week` to the last one that has ended; `present` stands in for now when the clock is set."""
    return dg.WeeklyPartitionsDefinition(
        start_date=first_week.isoformat(),
        end_date=(last_ended_week(present) + ONE_WEEK).isoformat() if present else None,
        day_offset=1,  # Dagster counts from Sunday
        timezone="UTC",
        fmt="%Y-%m-%d",
        end_offset=0,
    )


def last_ended_week(moment: datetime) -> date:
    """The Monday of the last week that is over at `moment`."""
    today = moment.date()
    return today - timedelta(days=today.weekday()) - ONE_WEEK


def weeks_of(context: dg.AssetExecutionContext) -> list[date]:
    """The weeks that a run is asked for: one, or a range that a backfill does in a single run."""
    keys = context.partition_key_range
    return weeks_between(date.fromisoformat(keys.start), date.fromisoformat(keys.end))


def partition_of(week: date) -> str:
    """The partition key of a week."""
    return week.isoformat()


def week_given(field: str, text: str) -> date:
    """The week that a field of a run's configuration names. Raises UserError when it is no day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{field} is {text!r}; expected a Monday, as 2025-01-06") from None
