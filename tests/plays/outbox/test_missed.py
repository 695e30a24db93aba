"""After days without a delivery a mass of stale actions waits for a person; a few are dropped as ever."""

from datetime import timedelta
from typing import Literal

import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.plays.outbox import dead_letters, missed
from cs_pipeline.plays.outbox.suppress import drop_stale
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company
from tests.builders.delivering import deliver, enrolled, one_mail_play, states

EIGHT_DAYS = MONDAY + timedelta(days=8)


def away_for_eight_days(company: Company, settings: Settings, clock: Clock, count: int) -> None:
    enrolled(company, settings, one_mail_play(to="point_of_contact"), count=count)
    clock.set(EIGHT_DAYS)
    deliver(company.warehouse, settings, clock)


def test_a_few_are_dropped_as_stale(company: Company, settings: Settings, clock: Clock) -> None:
    away_for_eight_days(company, settings, clock, 3)
    assert states(company) == {("suppressed", "stale"): 3}


def test_many_wait_for_a_person_who_is_told_once(company: Company, settings: Settings, clock: Clock) -> None:
    away_for_eight_days(company, settings, clock, 12)
    assert states(company) == {("awaiting_approval", "missed"): 12}
    with company.warehouse.session() as session:
        found = dead_letters.untold(session, EIGHT_DAYS)
        assert found is not None
        assert "12 × yellow, step guide (email): awaiting_approval, missed" in found.words
        assert "`cs-pipeline action missed`" in found.words
        dead_letters.mark_told(session, found.action_ids, EIGHT_DAYS)
        assert dead_letters.untold(session, EIGHT_DAYS) is None
        ((playbook, step, channel, actions, *_),) = missed.waiting(session).itertuples(index=False, name=None)
    assert (playbook, step, channel, actions) == ("yellow", "guide", "email", 12)


def test_what_expires_one_by_one_in_a_long_outage_is_held_from_the_tenth_on(
    company: Company, settings: Settings, clock: Clock
) -> None:
    enrolled(company, settings, one_mail_play(), count=15)
    company.run("update cs.actions set expires_at = %s + action_id * interval '10 minutes'", MONDAY)
    for minutes in range(0, 200, 5):
        clock.set(MONDAY + timedelta(minutes=minutes))
        with company.warehouse.session() as session:
            drop_stale(session, clock.now())
    assert states(company) == {("suppressed", "stale"): 9, ("awaiting_approval", "missed"): 6}


@pytest.mark.parametrize(
    ("choice", "then"),
    [("catch-up", ("sent", None)), ("retime", ("sent", None)), ("drop", ("cancelled", "cancelled_by_hand"))],
)
def test_a_person_decides_on_all_of_them(
    company: Company,
    settings: Settings,
    clock: Clock,
    choice: Literal["catch-up", "retime", "drop"],
    then: tuple[str, str | None],
) -> None:
    away_for_eight_days(company, settings, clock, 12)
    with company.warehouse.session() as session:
        assert missed.decide(session, choice, "another_play", "olga", EIGHT_DAYS) == 0
        assert missed.decide(session, choice, None, "olga", EIGHT_DAYS) == 12
    deliver(company.warehouse, settings, clock)
    assert states(company) == {then: 12}
    assert company.run("select distinct decided_by, status_before, reason_before from cs.action_decisions") == [
        ("olga", "awaiting_approval", "missed")
    ]


def test_what_nobody_decides_on_is_dropped_after_two_weeks(company: Company, settings: Settings, clock: Clock) -> None:
    away_for_eight_days(company, settings, clock, 12)
    clock.set(EIGHT_DAYS + missed.KEPT_FOR)
    deliver(company.warehouse, settings, clock)
    assert states(company) == {("suppressed", "missed"): 12}


def test_a_play_that_is_retimed_moves_as_a_whole(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, count=12)
    clock.set(EIGHT_DAYS)
    deliver(company.warehouse, settings, clock)
    before = dict(company.run("select action_id, due_at from cs.actions where step = 'tip'"))
    with company.warehouse.session() as session:
        missed.decide(session, "retime", None, "olga", EIGHT_DAYS)
    after = dict(company.run("select action_id, due_at from cs.actions where step = 'tip'"))
    assert {after[action_id] - before[action_id] for action_id in before} == {timedelta(days=8)}
