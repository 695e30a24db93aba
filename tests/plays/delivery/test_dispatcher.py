"""What is due goes out once; what must not go out does not, and says why."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from cs_pipeline.channels.message import Message, Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.outbox.kill_switch import EVERYTHING, lift, stop
from cs_pipeline.plays.outbox.queue import due_by_channel
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import ToldChannel, all_by, deliver, enrolled, one_mail_play, states


def test_a_play_goes_out_step_by_step(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings)
    for day, sent in [(0, 1), (1, 1), (2, 2), (6, 2), (7, 3)]:
        clock.set(MONDAY + timedelta(days=day))
        deliver(company.warehouse, settings, clock)
        assert company.column("select count(*) from cs.captured_messages") == [sent]
    assert company.run("select status from cs.enrolments") == [("completed",)]
    assert company.column("select distinct delivery from cs.actions") == ["capture"]


def test_delivering_twice_sends_once(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, count=3)
    channel = ToldChannel()
    for _ in range(2):
        deliver(company.warehouse, settings, clock, all_by(channel))
    assert len(channel.delivered) == len(set(channel.delivered)) == 3


def test_workers_at_the_same_time_send_every_action_once(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, count=40)
    channel = ToldChannel()
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(deliver, company.warehouse, settings, clock, all_by(channel)) for _ in range(4)]
        summaries = [job.result() for job in jobs]
    assert len(channel.delivered) == len(set(channel.delivered)) == 40
    assert sum(summary.count("sent") for summary in summaries) == 40


def test_a_limit_leaves_the_rest_for_the_next_call(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, count=5)
    assert deliver(company.warehouse, settings, clock, limit=2).count("captured") == 2
    assert deliver(company.warehouse, settings, clock, limit=5).count("captured") == 3


def test_due_actions_are_counted_by_channel(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, count=2)
    with company.warehouse.session() as session:
        assert due_by_channel(session, MONDAY) == {"email": 2}
        assert due_by_channel(session, MONDAY + timedelta(days=2)) == {"crm": 2, "email": 2}
        stop(session, "channel", "crm", "CRM is being moved", "olga", MONDAY)
        assert due_by_channel(session, MONDAY + timedelta(days=2)) == {"email": 2}


# Plays that end ------------------------------------------------------------------------------------------------------


def test_an_exit_condition_cancels_what_is_left(company: Company, settings: Settings, clock: Clock) -> None:
    (account,) = enrolled(company, settings)
    deliver(company.warehouse, settings, clock)
    company.score(account, 0)
    clock.set(MONDAY + timedelta(days=7))
    assert deliver(company.warehouse, settings, clock).ended == {"recovered": 1}
    assert states(company) == {("sent", None): 1, ("cancelled", "recovered"): 2}
    assert company.run("select status, reason, ended_at from cs.enrolments") == [("exited", "recovered", clock.now())]


def test_an_account_that_leaves_hears_nothing_more(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, save_play(exit=[]))
    company.run("update marts.dim_accounts set churned_at = %s", MONDAY)
    deliver(company.warehouse, settings, clock)
    assert states(company) == {("cancelled", "churned"): 3}


def test_a_renewal_date_that_moves_ends_the_play(company: Company, settings: Settings, clock: Clock) -> None:
    company.account("acme")
    company.term("s1", "acme", date(2025, 3, 20))
    play = one_mail_play(day=-8).model_copy(update={"family": "renewal", "exit": ()})
    play = Playbook.model_validate(play.model_dump() | {"trigger": {"kind": "renewal_window"}})
    trigger = company.trigger("renewal_window", "acme", subject_id="s1", anchor_on=date(2025, 3, 20))
    enrol(company.warehouse, play, [trigger], settings, MONDAY)
    company.run("update marts.fct_subscription_terms set renews_on = '2026-03-20'")
    clock.set(MONDAY + timedelta(days=2))
    deliver(company.warehouse, settings, clock)
    assert states(company) == {("cancelled", "renewal_moved"): 1}


def test_a_reply_can_end_a_play(company: Company, settings: Settings, clock: Clock) -> None:
    (account,) = enrolled(
        company, settings, save_play(exit=[{"when": "responded_since_enrolment", "reason": "answered"}])
    )
    company.insert(
        "staging.stg_email_events", account_id=account, event="reply", occurred_at=MONDAY - timedelta(days=1)
    )
    clock.set(MONDAY + timedelta(hours=1))
    assert deliver(company.warehouse, settings, clock).ended == {}
    company.insert(
        "staging.stg_email_events", account_id=account, event="reply", occurred_at=MONDAY + timedelta(minutes=5)
    )
    clock.set(MONDAY + timedelta(days=2))
    assert deliver(company.warehouse, settings, clock).ended == {"answered": 1}


# Guards --------------------------------------------------------------------------------------------------------------


def test_who_unsubscribed_gets_no_mail(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play())
    company.run("update marts.dim_contacts set unsubscribed_at = %s", MONDAY - timedelta(minutes=1))
    deliver(company.warehouse, settings, clock)
    assert states(company) == {("suppressed", "unsubscribed"): 1}


@pytest.mark.parametrize("reason", ["unsubscribed", "bounced", "by_hand"])
def test_a_suppressed_address_gets_no_mail(company: Company, settings: Settings, clock: Clock, reason: str) -> None:
    enrolled(company, settings, one_mail_play())
    company.insert("cs.suppressions", address="Ada@A0.example", reason=reason, source="test", since=MONDAY)
    deliver(company.warehouse, settings, clock)
    assert states(company) == {("suppressed", reason): 1}


def test_our_own_people_get_their_tasks_whatever_the_customer_unsubscribed_from(
    company: Company, settings: Settings, clock: Clock
) -> None:
    enrolled(company, settings, one_mail_play(channel="crm", to="owner"))
    company.run("update marts.dim_contacts set unsubscribed_at = %s", MONDAY)
    assert deliver(company.warehouse, settings, clock).count("captured") == 1


@pytest.mark.parametrize(
    ("scope", "name"), [("everything", EVERYTHING), ("channel", "email"), ("playbook", "yellow"), ("account", "a0")]
)
def test_a_kill_switch_holds_actions_until_it_is_lifted(
    company: Company, settings: Settings, clock: Clock, scope: str, name: str
) -> None:
    enrolled(company, settings, one_mail_play())
    with company.warehouse.session() as session:
        stop(session, scope, name, "complaints", "olga", MONDAY)  # pyright: ignore[reportArgumentType]
    assert deliver(company.warehouse, settings, clock).held == 1
    assert states(company) == {("planned", "kill_switch"): 1}
    with company.warehouse.session() as session:
        assert lift(session, scope, name)  # pyright: ignore[reportArgumentType]
    assert deliver(company.warehouse, settings, clock).count("captured") == 1


def test_what_a_kill_switch_held_too_long_is_suppressed(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play())
    with company.warehouse.session() as session:
        stop(session, "everything", EVERYTHING, "complaints", "olga", MONDAY)
    deliver(company.warehouse, settings, clock)
    clock.set(MONDAY + timedelta(days=3))
    deliver(company.warehouse, settings, clock)
    assert states(company) == {("suppressed", "kill_switch"): 1}


def test_a_kill_switch_set_between_judging_and_claiming_still_holds(
    company: Company, settings: Settings, clock: Clock
) -> None:
    enrolled(company, settings, one_mail_play(), count=2)

    def stop_after_first(message: Message) -> Outcome:
        with company.warehouse.session() as session:
            stop(session, "everything", EVERYTHING, "complaints", "olga", MONDAY)
        return Outcome("sent")

    deliver(company.warehouse, settings, clock, all_by(ToldChannel(stop_after_first)))
    assert states(company) == {("sent", None): 1, ("planned", None): 1}


def test_a_late_action_is_dropped_rather_than_sent(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play())
    clock.set(MONDAY + timedelta(days=3))
    assert deliver(company.warehouse, settings, clock).suppressed == {"stale": 1}
    assert states(company) == {("suppressed", "stale"): 1}


def test_an_offer_that_nobody_approved_is_dropped_when_it_is_stale(
    company: Company, settings: Settings, clock: Clock
) -> None:
    enrolled(company, settings, one_mail_play(needs_approval=True))
    assert deliver(company.warehouse, settings, clock).outcomes == {}
    clock.set(MONDAY + timedelta(days=3))
    deliver(company.warehouse, settings, clock)
    assert states(company) == {("suppressed", "not_approved"): 1}


@pytest.mark.requirement("S5-24", "C-25")
def test_a_step_for_high_value_accounts_is_taken_for_these_only(
    company: Company, settings: Settings, clock: Clock
) -> None:
    for account, arr in [("big", 10_001.0), ("limit", 10_000.0), ("unknown", None)]:
        company.account(account, severity=1, arr=arr)
    triggers = [company.fall(account) for account in ("big", "limit", "unknown")]
    enrol(company.warehouse, one_mail_play(when="is_high_value"), triggers, settings, MONDAY)
    deliver(company.warehouse, settings, clock)
    assert company.run("select account_id, status, reason from cs.actions order by 1") == [
        ("big", "sent", None),
        ("limit", "suppressed", "condition"),
        ("unknown", "suppressed", "condition"),
    ]


def test_conditions_of_a_step_see_the_facts_of_its_day(company: Company, settings: Settings, clock: Clock) -> None:
    (account,) = enrolled(company, settings, one_mail_play(day=2, when="open_critical_tickets == 0"))
    company.metrics(account, open_critical_tickets=3)
    company.metrics(account, week=date(2025, 3, 10), open_critical_tickets=0)  # not over yet on the 12th
    clock.set(MONDAY + timedelta(days=2))
    deliver(company.warehouse, settings, clock)
    assert states(company) == {("suppressed", "condition"): 1}


def test_a_mail_goes_to_whoever_has_the_role_on_the_day(company: Company, settings: Settings, clock: Clock) -> None:
    (account,) = enrolled(company, settings, one_mail_play(day=2))
    company.run("update marts.dim_contacts set deleted_at = %s", MONDAY)
    company.contact(account, "eve", role="champion", started_on=date(2025, 3, 11))
    clock.set(MONDAY + timedelta(days=2))
    deliver(company.warehouse, settings, clock)
    assert company.run("select recipient, body_text from cs.captured_messages") == [("eve@a0.example", "Dear Eve")]


def test_an_action_that_nobody_can_receive_any_more_fails(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play())
    company.run("update marts.dim_contacts set deleted_at = %s", MONDAY)
    deliver(company.warehouse, settings, clock)
    assert states(company) == {("failed", "no_recipient"): 1}
