"""Compute when a step is due: days counted in the calendar of the account's country, hours in the account's time zone.

Pure functions; the present is not known here.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

Days = Literal["calendar", "business"]

DUE_HOUR = time(9)
ONE_DAY = timedelta(days=1)


def due_at(anchor_on: date, day: int, days: Days, country: str | None, timezone: str | None) -> datetime:
    """The moment (UTC) at which a step `day` days from the anchor is due: 09:00 in the account's zone.

    An unknown zone counts as UTC, an unknown country as one with week-ends and no holidays.
    """
    local = datetime.combine(due_on(anchor_on, day, days, country), DUE_HOUR, zone(timezone))
    return local.astimezone(UTC)


def due_on(anchor_on: date, day: int, days: Days, country: str | None) -> date:
    """The day of a step.

    Business days are counted from the anchor, either way, so many working days on. Calendar days are counted as
    they come, and a day that is not a working day moves on to the next one.
    """
    if days == "calendar" or day == 0:
        return next_working_day(anchor_on + day * ONE_DAY, country)
    step = ONE_DAY if day > 0 else -ONE_DAY
    result, left = anchor_on, abs(day)
    while left:
        result += step
        left -= is_working_day(result, country)
    return result


def is_working_day(day: date, country: str | None) -> bool:
    """False on the week-ends and public holidays of `country` (ISO 3166-1 alpha-2)."""
    return _calendar((country or "").upper()).is_working_day(day)


def is_holiday(day: date, country: str) -> bool:
    """True on the public holidays of `country` (ISO 3166-1 alpha-2), whatever the day of the week."""
    return day in _calendar(country.upper())


@lru_cache(maxsize=1_024)  # Python itself keeps eight, and else reads the file for every account
def zone(name: str | None) -> ZoneInfo:
    """The time zone `name`, or UTC where there is none of that name."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def next_working_day(day: date, country: str | None) -> date:
    """`day`, or the first working day after it."""
    while not is_working_day(day, country):
        day += ONE_DAY
    return day


@lru_cache(maxsize=512)
def _calendar(country: str) -> holidays.HolidayBase:
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        return holidays.HolidayBase()
