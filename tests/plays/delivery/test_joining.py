"""Two contracts of one account that renew at once: a play each, and one mail."""

from datetime import date, timedelta

import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import deliver

RENEWS = date(2025, 6, 8)
STEP = {"to": "point_of_contact", "template": "t", "intent": "inform"}
LADDER = save_play(
    playbook="ladder",
    family="renewal",
    trigger={"kind": "renewal_window"},
    exit=[{"when": "renewal_done", "reason": "renewed"}],
    steps=[
        {**STEP, "step": "reminder", "day": -90, "channel": "email"},
        {**STEP, "step": "opportunity", "day": -90, "channel": "crm", "to": "owner"},
    ],
)


def window(company: Company, subscription: str, renews_on: date, renewal_window: str = "90") -> int:
    return company.trigger(
        "renewal_window",
        "acme",
        subject_id=subscription,
        anchor_on=renews_on,
        key=f"{subscription}:{renewal_window}",
        renewal_window=renewal_window,
    )


def two_contracts(company: Company, settings: Settings, days_apart: int = 1, play: Playbook = LADDER) -> None:
    company.account("acme")
    triggers = []
    for subscription, renews_on in (("a", RENEWS), ("b", RENEWS + timedelta(days=days_apart))):
        company.term(subscription, "acme", renews_on, renewal_type="manual")
        triggers.append(window(company, subscription, renews_on))
    enrol(company.warehouse, play, triggers, settings, MONDAY)


def actions(company: Company) -> list[tuple]:
    return company.run(
        "select subscription_id, step, actions.status, actions.reason from cs.actions "
        "inner join cs.enrolments using (enrolment_id) order by step desc, subscription_id"
    )


def test_each_contract_has_a_play_of_its_own(company: Company, settings: Settings) -> None:
    two_contracts(company, settings)
    later = [window(company, name, RENEWS, "60") for name in ("a", "b")]
    enrol(company.warehouse, LADDER, later, settings, MONDAY + timedelta(days=1))
    assert company.run("select subject_id, status, reason from cs.enrolments order by enrolment_id") == [
        ("a", "active", None),
        ("b", "active", None),
        ("a", "refused", "family"),
        ("b", "refused", "renewal_moved"),  # that window counts from the other's date
    ]


def test_a_contract_begins_its_play_while_that_of_another_runs(company: Company, settings: Settings) -> None:
    two_contracts(company, settings)
    company.term("c", "acme", RENEWS + timedelta(days=7), renewal_type="manual")
    enrol(company.warehouse, LADDER, [window(company, "c", RENEWS + timedelta(days=7))], settings, MONDAY)
    assert company.column("select subject_id from cs.enrolments where status = 'active' order by 1") == ["a", "b", "c"]


def test_two_windows_of_one_contract_in_a_batch_enrol_it_once(company: Company, settings: Settings) -> None:
    company.account("acme")
    company.term("a", "acme", RENEWS)
    enrol(company.warehouse, LADDER, [window(company, "a", RENEWS, each) for each in ("90", "60")], settings, MONDAY)
    assert company.run("select status, reason from cs.enrolments order by enrolment_id") == [
        ("active", None),
        ("refused", "family"),
    ]


def test_a_play_of_higher_priority_ends_that_of_its_own_contract_only(company: Company, settings: Settings) -> None:
    two_contracts(company, settings)
    urgent = LADDER.model_copy(update={"playbook": "urgent", "priority": 80})
    enrol(company.warehouse, urgent, [window(company, "b", RENEWS + timedelta(days=1), "30")], settings, MONDAY)
    assert company.run("select playbook, subject_id, status, reason from cs.enrolments order by enrolment_id") == [
        ("ladder", "a", "active", None),
        ("ladder", "b", "exited", "outranked"),
        ("urgent", "b", "active", None),
    ]


def test_a_play_about_the_account_is_in_the_way_of_both(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    whole = save_play(playbook="whole", family="renewal", priority=90)
    enrol(company.warehouse, whole, [company.fall("acme")], settings, MONDAY)
    two = [window(company, name, RENEWS) for name in ("a", "b")]
    company.term("a", "acme", RENEWS)
    company.term("b", "acme", RENEWS)
    enrol(company.warehouse, LADDER, two, settings, MONDAY)
    assert company.column("select reason from cs.enrolments where playbook = 'ladder'") == ["family", "family"]


@pytest.mark.parametrize("hours", [0, 24])
def test_the_customer_reads_it_once_and_everything_else_is_done_for_each(
    company: Company, settings: Settings, clock: Clock, hours: int
) -> None:
    two_contracts(company, settings, days_apart=hours // 24)
    for day in (0, 1, 2):
        clock.set(MONDAY + timedelta(days=day))
        deliver(company.warehouse, settings, clock)
    assert actions(company) == [
        ("a", "reminder", "sent", None),
        ("b", "reminder", "suppressed", "joined"),
        ("a", "opportunity", "sent", None),
        ("b", "opportunity", "sent", None),
    ]


def test_contracts_that_renew_far_apart_are_written_about_each(
    company: Company, settings: Settings, clock: Clock
) -> None:
    two_contracts(company, settings, days_apart=45)
    for day in (0, 45, 46, 47):
        clock.set(MONDAY + timedelta(days=day))
        deliver(company.warehouse, settings, clock)
    assert [row[2] for row in actions(company)] == ["sent"] * 4


def test_when_the_first_is_signed_the_second_is_written_about(
    company: Company, settings: Settings, clock: Clock
) -> None:
    two_contracts(company, settings)
    company.run("update marts.fct_subscription_terms set successor_started_on = renews_on where subscription_id = 'a'")
    for day in (0, 1):
        clock.set(MONDAY + timedelta(days=day))
        deliver(company.warehouse, settings, clock)
    assert actions(company) == [
        ("a", "reminder", "cancelled", "renewed"),
        ("b", "reminder", "sent", None),
        ("a", "opportunity", "cancelled", "renewed"),
        ("b", "opportunity", "sent", None),
    ]
