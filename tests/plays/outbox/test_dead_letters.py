"""Whatever needs a person is told to operations: once, with what to do, and without an address."""

from datetime import timedelta
from unittest.mock import patch

import dagster as dg
import pytest

from cs_pipeline.channels.message import Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.jobs.plays import deliver_due_actions
from cs_pipeline.orchestration.ops import deliveries
from cs_pipeline.orchestration.ops.deliveries import tell_operations
from cs_pipeline.orchestration.sensors.due_actions import due_actions_sensor
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.outbox import dead_letters
from cs_pipeline.plays.outbox.queue import LEASE
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import PlainRenderer, ToldChannel, all_by, deliver


@pytest.fixture
def uncertain(company: Company, settings: Settings, clock: Clock) -> Company:
    """Two mails of which nobody knows whether they were accepted, and a third that was refused."""
    accounts = company.accounts(3)
    enrol(company.warehouse, save_play(), [company.fall(account) for account in accounts], settings, MONDAY)
    answers = iter([Outcome("uncertain"), Outcome("uncertain"), Outcome("failed", detail="no such mailbox")])
    deliver(company.warehouse, settings, clock, all_by(ToldChannel(lambda _: next(answers))))
    return company


def tell(company: Company, settings: Settings, clock: Clock) -> None:
    resources = {"warehouse": company.warehouse, "settings": settings, "clock": clock}
    with dg.build_op_context(resources=resources) as context:
        tell_operations(context)


def told(company: Company) -> list[tuple]:
    return company.run("select recipient, subject, body_text from cs.captured_messages order by captured_at, subject")


def test_operations_are_told_once_and_of_what_can_still_be_looked_up_later(
    uncertain: Company, settings: Settings, clock: Clock
) -> None:
    for minutes in (0, 1, 11, 12):
        clock.set(MONDAY + timedelta(minutes=minutes))
        tell(uncertain, settings, clock)
    (first, second) = told(uncertain)
    assert first[:2] == ("#cs-pipeline", "An action needs a person")
    assert second[:2] == ("#cs-pipeline", "2 actions need a person")
    assert "1 × yellow, step guide (email): failed, refused" in first[2]
    assert "2 × yellow, step guide (email): uncertain, no_answer" in second[2]
    assert "@" not in first[2] + second[2]


def test_an_action_that_fails_again_after_it_was_resent_is_told_again(
    uncertain: Company, settings: Settings, clock: Clock
) -> None:
    tell(uncertain, settings, clock)
    uncertain.run("update cs.actions set status = 'planned', reason = null where status = 'failed'")
    deliver(uncertain.warehouse, settings, clock, all_by(ToldChannel(lambda _: Outcome("failed"))))
    clock.set(MONDAY + timedelta(minutes=1))
    tell(uncertain, settings, clock)
    assert [subject for _, subject, _ in told(uncertain)] == ["An action needs a person"] * 2


def test_a_sensor_hears_of_it_until_operations_are_told(uncertain: Company, settings: Settings, clock: Clock) -> None:
    with uncertain.warehouse.session() as session:
        assert dead_letters.is_anything_to_settle(session, clock.now())
    tell(uncertain, settings, clock)
    with uncertain.warehouse.session() as session:
        assert not dead_letters.is_anything_to_settle(session, clock.now())


def test_a_worker_that_was_lost_is_noticed_though_nothing_is_due(
    company: Company, settings: Settings, clock: Clock
) -> None:
    (account,) = company.accounts(1)
    enrol(company.warehouse, save_play(), [company.fall(account)], settings, MONDAY)
    company.run("delete from cs.actions where step <> 'guide'")
    company.run("update cs.actions set status = 'claimed', claimed_by = 'w', lease_until = %s", MONDAY + LEASE)
    for moment, is_noticed in ((MONDAY, False), (MONDAY + LEASE, True)):
        resources = {"warehouse": company.warehouse, "settings": settings, "clock": Clock(moment)}
        with dg.build_sensor_context(resources=resources) as context:
            assert isinstance(due_actions_sensor(context), list) == is_noticed


def test_what_is_found_when_looked_up_is_told_to_nobody(company: Company, settings: Settings, clock: Clock) -> None:
    (account,) = company.accounts(1)
    enrol(company.warehouse, save_play(), [company.fall(account)], settings, MONDAY)
    captured = all_by(ToldChannel(lambda _: Outcome("uncertain", delivery="capture"), goes="capture"))
    deliver(company.warehouse, settings, clock, captured)
    clock.set(MONDAY + dead_letters.LOOKED_UP)
    with company.warehouse.session() as session:
        assert dead_letters.is_anything_to_settle(session, clock.now())
    resources = {"warehouse": company.warehouse, "settings": settings, "clock": clock}
    with patch.object(deliveries, "Renderer", lambda *_: PlainRenderer()):
        deliver_due_actions.execute_in_process(resources=resources)
    assert company.column("select status from cs.actions where step = 'guide'") == ["sent"]
    assert [row for row in told(company) if row[0] == settings.ops_channel] == []


def test_with_nothing_stuck_nobody_is_told(company: Company, settings: Settings, clock: Clock) -> None:
    tell(company, settings, clock)
    assert told(company) == []
