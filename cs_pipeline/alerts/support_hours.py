"""Hand the hours in which support answers to the clocks of tickets: intervals of cs.support_hours.

The team says them as `support_hours` of alerts.yaml. Without them there is no interval, and clocks run day and night.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg2.extensions import connection as Session
from psycopg2.extras import execute_values

from cs_pipeline.alerts.directory import WEEKDAYS, SupportHours
from cs_pipeline.plays.playbooks.business_days import is_holiday

BEFORE = timedelta(days=800)
AHEAD = timedelta(days=120)
Interval = tuple[datetime, datetime]


def intervals(hours: SupportHours, first: date, last: date) -> Iterator[Interval]:
    """The intervals that begin on one of the days, in UTC."""
    zone = ZoneInfo(hours.timezone)
    wanted = {WEEKDAYS.index(day) for day in hours.days}
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if day.weekday() not in wanted or (hours.holidays and is_holiday(day, hours.holidays)):
            continue
        closing = day + timedelta(days=hours.until <= hours.since)
        opens = datetime.combine(day, hours.since, zone).astimezone(UTC)
        closes = datetime.combine(closing, hours.until, zone).astimezone(UTC)
        if opens < closes:  # an hour that the clock leaps over is none
            yield opens, closes


def sync_support_hours(session: Session, hours: SupportHours | None, now: datetime) -> int:
    """Make cs.support_hours say when support answers, around `now`; returns how many intervals it has."""
    found = [] if hours is None else list(intervals(hours, (now - BEFORE).date(), (now + AHEAD).date()))
    with session.cursor() as cursor:
        cursor.execute("select opens_at, closes_at from cs.support_hours order by opens_at")
        if cursor.fetchall() == found:
            return len(found)
        cursor.execute("delete from cs.support_hours")
        execute_values(cursor, "insert into cs.support_hours (opens_at, closes_at, minutes_before) values %s", [
            (opens, closes, minutes) for (opens, closes), minutes in zip(found, _minutes_before(found), strict=True)
        ])  # fmt: skip
    return len(found)


def _minutes_before(found: list[Interval]) -> Iterator[float]:
    passed = 0.0
    for opens, closes in found:
        yield passed
        passed += (closes - opens) / timedelta(minutes=1)
