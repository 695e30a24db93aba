"""Whose play is over hears nothing more; to know it, a delivery asks about what it takes, and not about all plays."""

from datetime import timedelta

import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.plays.enrolment import exits
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company
from tests.builders.delivering import ToldChannel, all_by, deliver, enrolled, one_mail_play, states

FEW, MANY = 2_000, 8_000
"""Plays that go on, whose next step is not due."""
DUE = 5

GOING_ON = """
with opened as (
    insert into cs.triggers (trigger_key, kind, account_id, subject_id, occurred_at, anchor_on, facts)
    select 'going ' || number, 'score_change', 'g' || number, 'g' || number, %(now)s, %(now)s::date, '{}'
    from generate_series(%(first)s, %(last)s) as number
    returning trigger_id, account_id
),

entered as (
    insert into cs.enrolments (
        playbook, playbook_version, family, account_id, trigger_id, subject_id, anchor_on, status, enrolled_at
    )
    select playbook, playbook_version, 'save', account_id, trigger_id, account_id, %(now)s::date, 'active', %(now)s
    from opened cross join cs.playbooks
    returning enrolment_id, account_id
)

insert into cs.actions (
    action_key, enrolment_id, playbook, step, account_id, channel, role, intent, due_at, expires_at, status
)
select
    'going ' || enrolment_id, enrolment_id, 'yellow', 'guide', account_id, 'email', 'champion', 'educate',
    %(now)s::timestamptz + interval '90 days', %(now)s::timestamptz + interval '99 days', 'planned'
from entered
"""
READ = ("enrolments", "actions", "triggers")


def rows_for_a_delivery(company: Company, settings: Settings, clock: Clock, goes_on: range) -> int:
    """Rows of plays that are read to take DUE messages beside plays that go on."""
    with company.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(GOING_ON, {"now": MONDAY, "first": goes_on.start, "last": goes_on.stop - 1})
    company.run("update cs.actions set due_at = %s where action_key not like 'going %%'", MONDAY)
    company.run("update cs.actions set status = 'planned' where action_key not like 'going %%'")
    company.run("update cs.enrolments set status = 'active', ended_at = null where status = 'completed'")
    company.run("vacuum analyze cs.actions, cs.enrolments, cs.triggers")
    before = company.rows_read(*READ)
    channel = ToldChannel()
    summary = deliver(company.warehouse, settings, clock, all_by(channel))
    assert (len(channel.delivered), summary.completed) == (DUE, DUE)
    return company.rows_read(*READ) - before


@pytest.mark.one_server("each server keeps the statistics of its part")
def test_a_delivery_reads_as_much_however_many_plays_go_on(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play(), count=DUE)
    few = rows_for_a_delivery(company, settings, clock, range(FEW))
    many = rows_for_a_delivery(company, settings, clock, range(FEW, MANY))
    assert many <= few + 50
    assert few < FEW


def test_what_is_due_is_cancelled_where_its_play_is_over(company: Company, settings: Settings, clock: Clock) -> None:
    over, goes_on = enrolled(company, settings, one_mail_play(), count=2)
    company.score(over, 0)
    channel = ToldChannel()
    assert deliver(company.warehouse, settings, clock, all_by(channel)).ended == {"recovered": 1}
    assert states(company) == {("cancelled", "recovered"): 1, ("sent", None): 1}
    assert company.run("select account_id, status from cs.enrolments order by 2") == [
        (goes_on, "completed"),
        (over, "exited"),
    ]


def test_a_message_that_a_person_sends_again_goes_out_after_its_play(
    company: Company, settings: Settings, clock: Clock
) -> None:
    (account,) = enrolled(company, settings, one_mail_play())
    deliver(company.warehouse, settings, clock)
    company.run("update cs.enrolments set status = 'exited', reason = 'recovered'")
    company.run("update cs.actions set status = 'planned', resent_at = %s", MONDAY)
    company.score(account, 0)
    channel = ToldChannel()
    assert deliver(company.warehouse, settings, clock, all_by(channel)).ended == {}
    assert states(company) == {("sent", None): 1}


def test_once_a_day_plays_end_of_which_nothing_is_due(company: Company, settings: Settings, clock: Clock) -> None:
    over, _, done = enrolled(company, settings, one_mail_play(day=3), count=3)
    company.score(over, 0)
    company.run("update cs.actions set status = 'suppressed', reason = 'stale' where account_id = %s", done)
    clock.set(MONDAY + timedelta(hours=1))
    assert deliver(company.warehouse, settings, clock).ended == {}
    with company.warehouse.session() as session:
        assert exits.end_all_plays(session, AsOf(settings, clock.now())) == {"recovered": 1}
    assert company.column("select status from cs.enrolments order by account_id") == ["exited", "active", "completed"]
    assert states(company) == {("cancelled", "recovered"): 1, ("planned", None): 1, ("suppressed", "stale"): 1}
