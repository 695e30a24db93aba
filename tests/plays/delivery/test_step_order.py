"""A step never overtakes the one before it to the same person, and keeps its distance in days."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from cs_pipeline.channels.message import Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.settings import Settings
from tests.builders.company import Company, save_play
from tests.builders.delivering import ONE_MAIL, ToldChannel, all_by, deliver

TUESDAY_EVENING = datetime(2025, 4, 8, 19, tzinfo=UTC)
WELCOME = ONE_MAIL | {"step": "welcome", "to": "point_of_contact"}
CHECK_IN = WELCOME | {"step": "check_in", "day": 1}
MOMENTS = ("08:00", "08:30", "09:01", "09:15", "09:30", "09:45", "10:01", "14:00")


def greeted(company: Company, settings: Settings, count: int, *steps: Mapping[str, object]) -> None:
    accounts = [company.account(f"O{number}", country=None, timezone=None) for number in range(count)]
    triggers = [company.fall(account, occurred_at=TUESDAY_EVENING) for account in accounts]
    enrol(company.warehouse, save_play(steps=steps, exit=[]), triggers, settings, TUESDAY_EVENING)


def sent_on(company: Company, step: str) -> list[str]:
    rows = company.run("select sent_at from cs.actions where step = %s and status = 'sent' order by 1", step)
    return sorted({f"{sent_at:%a}" for (sent_at,) in rows})


def test_what_waits_for_morning_is_not_overtaken_and_the_next_keeps_its_day(
    company: Company, settings: Settings, clock: Clock
) -> None:
    greeted(company, settings, 10, WELCOME, CHECK_IN)
    for day in ("2025-04-09", "2025-04-10", "2025-04-11"):
        for moment in MOMENTS:
            clock.set(datetime.fromisoformat(f"{day}T{moment}+00:00"))
            deliver(company.warehouse, settings, clock)
    assert sent_on(company, "welcome") == ["Wed"]
    assert sent_on(company, "check_in") == ["Thu"]
    assert company.column("select count(*) from cs.actions where status = 'sent'") == [20]


@pytest.mark.parametrize("settled", ["cancelled", "failed"])
def test_a_step_goes_once_the_one_before_it_is_dropped(
    company: Company, settings: Settings, clock: Clock, settled: str
) -> None:
    greeted(company, settings, 1, WELCOME, CHECK_IN)
    company.run("update cs.actions set status = %s where step = 'welcome'", settled)
    clock.set(datetime(2025, 4, 9, 10, tzinfo=UTC))
    deliver(company.warehouse, settings, clock)
    assert sent_on(company, "check_in") == ["Wed"]


def test_steps_to_other_people_and_on_other_channels_wait_for_nobody(
    company: Company, settings: Settings, clock: Clock
) -> None:
    task = {
        "step": "call",
        "day": 1,
        "channel": "crm",
        "to": "owner",
        "template": "t",
        "intent": "inform",
    }
    greeted(company, settings, 1, WELCOME, task)
    company.run("update cs.actions set due_at = due_at + interval '3 days' where step = 'welcome'")
    clock.set(datetime(2025, 4, 9, 10, tzinfo=UTC))
    deliver(company.warehouse, settings, clock)
    assert sent_on(company, "call") == ["Wed"]


def test_a_step_that_waits_says_so_and_does_not_become_stale_meanwhile(
    company: Company, settings: Settings, clock: Clock
) -> None:
    greeted(company, settings, 1, WELCOME, CHECK_IN)
    clock.set(datetime(2025, 4, 9, 10, tzinfo=UTC))
    refusing = ToldChannel(lambda _: Outcome("retry", detail="429", retry_after=timedelta(hours=2)))
    deliver(company.warehouse, settings, clock, all_by(refusing))
    company.run("delete from cs.channel_pauses")
    deliver(company.warehouse, settings, clock)
    ((reason, fresh_for),) = company.run("select reason, expires_at - due_at from cs.actions where step = 'check_in'")
    assert reason == "step_before"
    assert fresh_for == timedelta(days=3)


def test_a_person_who_resends_a_step_waits_for_no_distance(company: Company, settings: Settings, clock: Clock) -> None:
    greeted(company, settings, 1, WELCOME, CHECK_IN)
    clock.set(datetime(2025, 4, 9, 10, tzinfo=UTC))
    deliver(company.warehouse, settings, clock)
    company.run("update cs.actions set resent_at = %s, due_at = %s where step = 'check_in'", clock.now(), clock.now())
    deliver(company.warehouse, settings, clock)
    assert sent_on(company, "check_in") == ["Wed"]
