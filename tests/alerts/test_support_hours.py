"""Support hours are what alerts.yaml says, less the public holidays, and clocks of tickets read them."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from cs_pipeline.alerts.directory import SupportHours
from cs_pipeline.alerts.support_hours import intervals, sync_support_hours
from cs_pipeline.alerts.team_file import load_directory
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.yaml_with_lines import InvalidFile
from tests.builders.marts import rows


def utc(day: int, hour: int, month: int = 12) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=UTC)


@pytest.mark.requirement("S5-36", "C-36")
def test_support_hours_leave_out_week_ends_and_public_holidays_and_follow_summer_time() -> None:
    hours = SupportHours(timezone="Europe/Berlin", holidays="DE")
    found = list(intervals(hours, date(2025, 12, 24), date(2025, 12, 29)))
    assert found == [(utc(24, 8), utc(24, 16)), (utc(29, 8), utc(29, 16))]
    assert list(intervals(hours, date(2025, 7, 1), date(2025, 7, 1))) == [(utc(1, 7, 7), utc(1, 15, 7))]
    nights = SupportHours(timezone="UTC", days=("tuesday",), since=time(12), until=time(2))
    assert list(intervals(nights, date(2025, 12, 1), date(2025, 12, 7))) == [(utc(2, 12), utc(3, 2))]


def test_support_hours_are_written_with_the_minutes_before_and_taken_away_again(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    (tmp_path / "alerts.yaml").write_text(
        "support_hours: {timezone: UTC, days: [monday], since: 09:00, until: '17:30'}\n"
    )
    hours = load_directory(tmp_path).support_hours
    with warehouse.session() as session:
        assert sync_support_hours(session, hours, utc(3, 12)) == 132
        assert sync_support_hours(session, hours, utc(3, 12)) == 132
    asked = "select minutes_before from cs.support_hours order by opens_at limit 3"
    assert rows(warehouse, asked) == [(0,), (510,), (1020,)]
    with warehouse.session() as session:
        assert sync_support_hours(session, None, utc(3, 12)) == 0
    assert rows(warehouse, "select count(*) from cs.support_hours") == [(0,)]


def test_wrong_support_hours_are_refused_with_line_and_field(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text("support_hours:\n  timezone: Berlin\n")
    with pytest.raises(InvalidFile, match=r"alerts\.yaml:2: support_hours\.timezone: expected a time zone"):
        load_directory(tmp_path)
