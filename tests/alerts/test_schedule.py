"""At which moments a rule is asked."""

from datetime import UTC, datetime, timedelta

import pytest

from cs_pipeline.alerts.schedule import Schedule


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "now", "due"),
    [
        ("hourly", "2025-03-12 10:59:59", "2025-03-12 10:00"),
        ("hourly", "2025-03-12 11:00", "2025-03-12 11:00"),
        ("daily", "2025-03-12 05:59", "2025-03-11 06:00"),
        ("daily", "2025-03-12 06:00", "2025-03-12 06:00"),
        ("weekly", "2025-03-12 06:00", "2025-03-10 00:00"),
        ("weekly", "2025-03-09 23:59", "2025-03-03 00:00"),
        ("*/15 9-17 * * 1-5", "2025-03-16 12:00", "2025-03-14 17:45"),
        ("30 6 1,15 * *", "2025-03-14 12:00", "2025-03-01 06:30"),
        ("0 0 29 2 *", "2025-03-14 12:00", "2024-02-29 00:00"),
        ("0 0 13 * 5", "2025-03-14 12:00", "2025-03-14 00:00"),  # the 13th, and every Friday
        ("0 0 13 * 5", "2025-03-13 12:00", "2025-03-13 00:00"),
        ("0 0 * * 7", "2025-03-12 12:00", "2025-03-09 00:00"),
        ("5/20 * * * *", "2025-03-12 12:30", "2025-03-12 12:25"),
    ],
)
def test_the_newest_moment_of_a_schedule_that_is_not_to_come(schedule: str, now: str, due: str) -> None:
    assert Schedule.parse(schedule).due(moment(now)) == moment(due)


def test_the_moments_between_two_include_both() -> None:
    first, last = moment("2025-03-10 06:00"), moment("2025-03-13 06:00")
    between = Schedule.parse("daily").between(first, last)
    assert between == [first + timedelta(days=day) for day in range(4)]
    assert Schedule.parse("weekly").between(first, last) == []


@pytest.mark.parametrize(
    ("schedule", "seen", "days"),
    [
        ("hourly", None, 0),
        ("hourly", "2025-03-12 05:00", 0),
        ("hourly", "2025-03-12 04:00", 1),
        ("hourly", "2025-03-11 05:00", 1),
        ("hourly", "2025-03-11 04:00", 2),
        ("daily", "2025-03-11 06:00", 0),
        ("daily", "2025-03-05 06:00", 6),
        ("0 6 1 * *", "2025-03-01 06:00", 0),
        ("hourly", "2024-03-12 06:00", 28),
    ],
)
def test_what_was_missed_is_the_time_since_a_rule_was_seen_less_what_its_schedule_leaves_out(
    schedule: str, seen: str | None, days: int
) -> None:
    asked = moment("2025-03-12 06:00")
    assert Schedule.parse(schedule).days_missed(None if seen is None else moment(seen), asked) == days


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dayly", "expected hourly, daily, weekly or five cron fields"),
        ("0 6 * *", "expected hourly, daily, weekly or five cron fields"),
        ("60 * * * *", "'60' is no minute of a cron line: expected 0 to 59"),
        ("* * * * MON", "'MON' is no weekday of a cron line"),
        ("*/0 * * * *", "is no minute"),
        ("0 0 30 2 *", "never comes"),
    ],
)
def test_what_is_no_schedule_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("*", r"\*")):
        Schedule.parse(text)
