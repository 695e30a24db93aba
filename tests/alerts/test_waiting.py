"""What waits until it is told, and what is told again: reminders, escalations, snoozes, silences, stops, limits."""

from datetime import timedelta

import pytest

from cs_pipeline.plays.outbox import kill_switch
from cs_pipeline.settings import Settings
from tests.builders.alert_readers import Readers
from tests.builders.alert_rules import START, rule
from tests.builders.company import Company
from tests.builders.fixtures import clock, company, settings

__all__ = ["clock", "company", "settings"]

URGENT = {"severity": "urgent"}


def test_reminders_and_escalation_come_until_somebody_acknowledges(company: Company, settings: Settings) -> None:
    company.account("acme", executive_email="eva@ours.example")
    people = Readers(
        company, settings, rule(remind_every="3 days", escalate={"after": "1 day", "to": "manager"}, **URGENT)
    )
    for _ in range(4):
        people.day("acme")
    assert people.all_read() == [
        ("olga@ours.example", "Urgent: Acme: acme is at 2"),
        ("max@ours.example", "Urgent: Acme: acme is at 2"),
        ("olga@ours.example", "Urgent: Acme: acme is at 2"),
    ]
    people.run("update cs.alerts set acknowledged_at = %s, acknowledged_by = 'olga'", people.now)
    for _ in range(4):
        people.day("acme")
    assert len(people.all_read()) == 3
    people.day()
    assert people.all_read()[3:] == [
        ("max@ours.example", "Over: Acme: acme is at 2"),
        ("olga@ours.example", "Over: Acme: acme is at 2"),
    ]


def test_who_acknowledges_in_time_is_neither_reminded_nor_escalated(company: Company, settings: Settings) -> None:
    company.account("acme")
    people = Readers(
        company, settings, rule(remind_every="1 day", escalate={"after": "1 day", "to": "manager"}, **URGENT)
    )
    people.day("acme")
    people.run("update cs.alerts set acknowledged_at = %s, acknowledged_by = 'olga'", people.now)
    for _ in range(3):
        people.day("acme")
    assert people.run("select kind, recipient from cs.alert_notifications") == [("new", "olga@ours.example")]


def test_what_is_snoozed_is_told_at_its_end_if_it_still_fires(company: Company, settings: Settings) -> None:
    company.account("acme")
    company.account("brill")
    people = Readers(company, settings, rule(remind_every="1 day"))
    people.day("acme", "brill")
    people.run("update cs.alerts set snoozed_until = %s, snooze_reason = 'away'", START + timedelta(days=4))
    people.day("acme", "brill")
    people.day("acme")
    assert [subject.partition(": ")[2] for subject in people.read()] == ["2 new", "1 got better"]
    people.day("acme")
    assert [subject.partition(": ")[2] for subject in people.read()][2:] == ["1 still open"]


@pytest.mark.parametrize(("of_rule", "of_account"), [("idle", None), (None, "acme"), ("idle", "acme")])
def test_a_silence_loses_nothing(
    company: Company, settings: Settings, of_rule: str | None, of_account: str | None
) -> None:
    company.account("acme")
    people = Readers(company, settings, rule(**URGENT))
    company.insert(
        "cs.alert_silences",
        rule=of_rule,
        account_id=of_account,
        until=START + timedelta(days=3),
        reason="migration",
        set_by="olga",
        set_at=START,
    )
    people.day("acme")
    assert (people.all_read(), people.states()) == ([], [("acme", "firing")])
    people.day("acme")
    people.day("acme")
    people.day("acme")
    assert people.read() == ["Urgent: Acme: acme is at 2"]


@pytest.mark.parametrize("waits", [True, False])
def test_a_stopped_account_waits_in_digests_and_at_once(company: Company, settings: Settings, *, waits: bool) -> None:
    company.account("acme")
    people = Readers(company, settings, rule(**({} if waits else URGENT)))
    with company.warehouse.session() as session:
        kill_switch.stop(session, "account", "acme", "a lawsuit", "olga", START)
    people.day("acme")
    assert people.all_read() == []
    with company.warehouse.session() as session:
        kill_switch.lift(session, "account", "acme")
    people.day("acme")
    assert len(people.read()) == 1


def test_a_baseline_and_what_is_held_are_told_to_operations_only(company: Company, settings: Settings) -> None:
    company.accounts(3)
    people = Readers(company, settings, rule(limits={"accounts": 1, "share": 0.1}))
    people.day("a0", "a1", "a2")
    assert people.all_read() == []
    assert people.run("select distinct recipient from cs.captured_messages") == [("#cs-pipeline",)]
