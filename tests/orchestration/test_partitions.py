"""Weeks, their keys and their ends."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_pipeline.history.weeks import weeks_between
from cs_pipeline.orchestration.partitions import last_ended_week, weekly_partitions

MOMENTS = st.datetimes(datetime(2013, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS)
def test_the_last_ended_week_is_a_monday_that_ended_within_the_last_seven_days(moment: datetime) -> None:
    week = last_ended_week(moment)
    end = datetime(week.year, week.month, week.day, tzinfo=UTC) + timedelta(days=7)
    assert week.weekday() == 0
    assert timedelta(0) <= moment - end < timedelta(days=7)


@pytest.mark.requirement("S5-10")
def test_a_week_that_still_runs_is_no_partition() -> None:
    weeks = weekly_partitions(date(2026, 1, 5), present=datetime(2026, 1, 25, 23, 59, tzinfo=UTC))
    assert weeks.get_partition_keys() == ["2026-01-05", "2026-01-12"]


def test_a_week_becomes_a_partition_the_moment_it_ends() -> None:
    weeks = weekly_partitions(date(2026, 1, 5), present=datetime(2026, 1, 26, tzinfo=UTC))
    assert weeks.get_partition_keys()[-1] == "2026-01-19"


def test_partition_keys_without_a_set_clock_are_the_mondays_until_now() -> None:
    keys = weekly_partitions(date(2023, 1, 2)).get_partition_keys()
    assert keys[:2] == ["2023-01-02", "2023-01-09"]
    assert keys[-1] == last_ended_week(datetime.now(UTC)).isoformat()


def test_a_range_of_weeks_includes_both_ends() -> None:
    assert weeks_between(date(2026, 1, 5), date(2026, 1, 19)) == [
        date(2026, 1, 5),
        date(2026, 1, 12),
        date(2026, 1, 19),
    ]
