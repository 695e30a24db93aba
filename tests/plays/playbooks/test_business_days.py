"""When steps are due."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_pipeline.plays.playbooks.business_days import due_at, due_on, is_working_day, zone

DAYS = st.dates(date(2015, 1, 1), date(2035, 12, 31))
OFFSETS = st.integers(-200, 200)
COUNTRIES = st.sampled_from(["DE", "US", "GB", "JP", "SA", "IL", "XX", None])
ZONES = st.sampled_from(sorted(name for name in available_timezones() if "/" in name))


@pytest.mark.parametrize(
    ("anchor", "day", "days", "country", "expected"),
    [
        (date(2025, 3, 10), 1, "calendar", "DE", date(2025, 3, 11)),
        (date(2025, 3, 10), 5, "calendar", "DE", date(2025, 3, 17)),  # a Saturday moves to Monday
        (date(2025, 3, 10), 5, "business", "DE", date(2025, 3, 17)),
        (date(2025, 3, 10), 4, "business", "DE", date(2025, 3, 14)),
        (date(2025, 4, 17), 1, "business", "DE", date(2025, 4, 22)),  # Good Friday, Easter Monday
        (date(2025, 4, 17), 1, "calendar", "DE", date(2025, 4, 22)),
        (date(2025, 7, 3), 1, "calendar", "US", date(2025, 7, 7)),
        (date(2025, 7, 3), 1, "calendar", "FR", date(2025, 7, 4)),
        (date(2025, 7, 7), -1, "business", "US", date(2025, 7, 3)),
        (date(2025, 7, 7), -3, "calendar", "US", date(2025, 7, 7)),
        (date(2025, 3, 13), 1, "calendar", "SA", date(2025, 3, 16)),  # Friday and Saturday are the week-end
        (date(2025, 12, 24), 1, "calendar", "XX", date(2025, 12, 25)),
        (date(2025, 12, 24), 1, "calendar", None, date(2025, 12, 25)),
    ],
)
def test_days_are_counted_in_the_country_of_the_account(
    anchor: date, day: int, days: str, country: str | None, expected: date
) -> None:
    assert due_on(anchor, day, days, country) == expected  # pyright: ignore[reportArgumentType]


def test_nine_in_the_morning_stays_nine_when_the_clocks_change() -> None:
    before = due_at(date(2025, 3, 28), 0, "calendar", "DE", "Europe/Berlin")
    after = due_at(date(2025, 3, 28), 3, "calendar", "DE", "Europe/Berlin")
    assert (before, after) == (datetime(2025, 3, 28, 8, tzinfo=UTC), datetime(2025, 3, 31, 7, tzinfo=UTC))


@pytest.mark.parametrize("name", [None, "", "Nowhere/Land", "../etc/passwd", "\x00", "UTC"])
def test_an_unknown_zone_counts_as_utc(name: str | None) -> None:
    assert zone(name) == ZoneInfo("UTC")


@settings(deadline=None)
@given(DAYS, OFFSETS, st.sampled_from(["calendar", "business"]), COUNTRIES, ZONES)
def test_every_step_is_due_at_nine_on_a_working_day(
    anchor: date, day: int, days: str, country: str | None, timezone: str
) -> None:
    moment = due_at(anchor, day, days, country, timezone)  # pyright: ignore[reportArgumentType]
    local = moment.astimezone(ZoneInfo(timezone))
    assert moment.tzinfo is UTC
    assert (local.hour, local.minute) == (9, 0)
    assert is_working_day(local.date(), country) or (days == "business" and day == 0)


@settings(deadline=None)
@given(DAYS, OFFSETS, OFFSETS, st.sampled_from(["calendar", "business"]), COUNTRIES)
def test_a_later_step_is_never_due_before_an_earlier_one(
    anchor: date, one: int, other: int, days: str, country: str | None
) -> None:
    first, second = sorted([one, other])
    assert due_on(anchor, first, days, country) <= due_on(anchor, second, days, country)  # pyright: ignore[reportArgumentType]


@settings(deadline=None)
@given(DAYS, st.integers(1, 200), COUNTRIES)
def test_business_days_count_working_days(anchor: date, day: int, country: str | None) -> None:
    due = due_on(anchor, day, "business", country)
    between = [anchor + timedelta(days=offset) for offset in range(1, (due - anchor).days + 1)]
    assert sum(is_working_day(each, country) for each in between) == day
