"""Whatever needs a person is told to operations: once, with what to do, and without an address."""

from datetime import timedelta

import dagster as dg
import pytest

from cs_pipeline.channels.message import Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.deliveries import start_delivery
from cs_pipeline.plays import stuck
from cs_pipeline.plays.enrolment import enrol
from cs_pipeline.settings import Settings
from tests.plays.company import MONDAY, Company, save_play
from tests.plays.delivering import ToldChannel, all_by, deliver


@pytest.fixture
def uncertain(company: Company, settings: Settings, clock: Clock) -> Company:
    """Two mails of which nobody knows whether they were accepted, and a third that was refused."""
    accounts = company.accounts(3)
    enrol(company.warehouse, save_play(), [company.fall(account) for account in accounts], settings, MONDAY)
    answers = iter([Outcome("uncertain"), Outcome("uncertain"), Outcome("failed", detail="no such mailbox")])
    deliver(company.warehouse, settings, clock, all_by(ToldChannel(lambda _: next(answers))))
    return company


def start(company: Company, settings: Settings, clock: Clock) -> None:
    resources = {"warehouse": company.warehouse, "settings": settings, "clock": clock}
    with dg.build_op_context(resources=resources) as context:
        start_delivery(context)


def told(company: Company) -> list[tuple]:
    return company.run("select recipient, subject, body_text from cs.captured_messages order by captured_at, subject")


def test_operations_are_told_once_and_of_what_can_still_be_looked_up_later(
    uncertain: Company, settings: Settings, clock: Clock
) -> None:
    for minutes in (0, 1, 11, 12):
        clock.set(MONDAY + timedelta(minutes=minutes))
        start(uncertain, settings, clock)
    (first, second) = told(uncertain)
    assert first[:2] == ("#cs-pipeline", "An action needs a person")
    assert second[:2] == ("#cs-pipeline", "2 actions need a person")
    assert "1 × yellow, step guide (email): failed, refused" in first[2]
    assert "2 × yellow, step guide (email): uncertain, no_answer" in second[2]
    assert "@" not in first[2] + second[2]


def test_an_action_that_fails_again_after_it_was_resent_is_told_again(
    uncertain: Company, settings: Settings, clock: Clock
) -> None:
    start(uncertain, settings, clock)
    uncertain.run("update cs.actions set status = 'planned', reason = null where status = 'failed'")
    deliver(uncertain.warehouse, settings, clock, all_by(ToldChannel(lambda _: Outcome("failed"))))
    clock.set(MONDAY + timedelta(minutes=1))
    start(uncertain, settings, clock)
    assert [subject for _, subject, _ in told(uncertain)] == ["An action needs a person"] * 2


def test_a_sensor_hears_of_it_until_operations_are_told(uncertain: Company, settings: Settings, clock: Clock) -> None:
    with uncertain.warehouse.session() as session:
        assert stuck.is_anything_untold(session, clock.now())
    start(uncertain, settings, clock)
    with uncertain.warehouse.session() as session:
        assert not stuck.is_anything_untold(session, clock.now())


def test_with_nothing_stuck_nobody_is_told(company: Company, settings: Settings, clock: Clock) -> None:
    start(company, settings, clock)
    assert told(company) == []
