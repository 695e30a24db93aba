"""What stands in the digest of alerts, and when it comes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cs_pipeline.settings import Settings
from tests.builders.alert_readers import Readers
from tests.builders.alert_rules import rule
from tests.builders.company import Company
from tests.builders.fixtures import clock, company, settings

__all__ = ["clock", "company", "settings"]


def test_what_is_silently_back_stands_in_the_digest(company: Company, settings: Settings) -> None:
    company.account("acme")
    people = Readers(company, settings, rule(again_after="30 days"))
    for found in (["acme"], [], ["acme"], ["acme"]):
        people.day(*found)
    assert [subject.partition(": ")[2] for subject in people.read()] == ["1 new", "1 got better", "1 back again"]


@pytest.mark.parametrize(
    ("zone", "evaluated", "sent"),
    [
        ("UTC", datetime(2025, 3, 11, 6, tzinfo=UTC), datetime(2025, 3, 11, 8, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2025, 3, 11, 7, tzinfo=UTC), datetime(2025, 3, 11, 7, tzinfo=UTC)),
        ("America/New_York", datetime(2025, 3, 11, 6, tzinfo=UTC), datetime(2025, 3, 11, 12, tzinfo=UTC)),
        ("America/New_York", datetime(2025, 11, 3, 6, tzinfo=UTC), datetime(2025, 11, 3, 13, tzinfo=UTC)),  # winter
        ("Asia/Tokyo", datetime(2025, 3, 14, 6, tzinfo=UTC), datetime(2025, 3, 16, 23, tzinfo=UTC)),  # after a weekend
    ],
)
def test_the_digest_comes_in_the_readers_morning_of_a_working_day(
    company: Company, settings: Settings, tmp_path: Path, zone: str, evaluated: datetime, sent: datetime
) -> None:
    company.account("acme")
    (tmp_path / "alerts.yaml").write_text(f"people:\n  olga@ours.example: {{timezone: {zone}}}\n")
    people = Readers(company, settings.model_copy(update={"config": tmp_path}), rule(schedule="hourly"))
    people.at(evaluated - timedelta(hours=1))
    people.find("acme")
    people.evaluate(timedelta(hours=1))
    people.hours(*range(72))
    assert people.run("select created_at from cs.notices where notice_key like 'alerts/digest/%%'") == [(sent,)]


def test_one_digest_a_day_even_when_more_comes_in_the_morning(company: Company, settings: Settings) -> None:
    company.account("acme")
    company.account("brill")
    people = Readers(company, settings, rule(schedule="hourly"))
    people.at(datetime(2025, 3, 11, 7, tzinfo=UTC))
    people.find("acme")
    people.evaluate(timedelta(hours=1))
    people.plan()
    people.find("acme", "brill")
    people.evaluate(timedelta(hours=1))
    people.hours(*range(24))
    assert [subject.partition(":")[0] for subject in people.read()] == [
        "Alerts on Tuesday 11 March",
        "Alerts on Wednesday 12 March",
    ]


@pytest.mark.parametrize("how", ["acknowledged", "over"])
def test_what_needs_no_telling_any_more_is_not_in_the_digest(company: Company, settings: Settings, how: str) -> None:
    company.account("acme")
    company.account("brill")
    people = Readers(company, settings, rule())
    people.find("acme", "brill")
    people.evaluate()
    people.run(
        "update cs.alerts set acknowledged_at = now(), acknowledged_by = 'olga' where entity = 'acme'"
        if how == "acknowledged"
        else "update cs.alerts set state = 'closed', cause = 'account_left', ended_at = now() where entity = 'acme'"
    )
    people.hours(2)
    assert people.read() == ["Alerts on Tuesday 11 March: 1 new"]
    assert people.run("select dropped from cs.alert_notifications where account_id = 'acme'") == [(how,)]


def test_what_came_and_went_before_the_morning_is_not_told(company: Company, settings: Settings) -> None:
    company.account("acme")
    people = Readers(company, settings, rule(schedule="hourly"))
    people.at(datetime(2025, 3, 11, 12, tzinfo=UTC))
    for found in (["acme"], ["acme"], []):
        people.find(*found)
        people.evaluate(timedelta(hours=1))
        people.plan()
    people.hours(*range(24))
    assert people.all_read() == []
    assert people.run("select kind, dropped from cs.alert_notifications") == [("new", "over")]


def test_what_is_back_before_anybody_was_told_is_told_as_new(company: Company, settings: Settings) -> None:
    company.account("acme")
    people = Readers(company, settings, rule(schedule="hourly", again_after="5 days"))
    people.at(datetime(2025, 3, 11, 12, tzinfo=UTC))
    for found in (["acme"], [], ["acme"]):
        people.find(*found)
        people.evaluate(timedelta(hours=1))
        people.plan()
    people.hours(*range(24))
    assert people.read() == ["Alerts on Wednesday 12 March: 1 new"]
