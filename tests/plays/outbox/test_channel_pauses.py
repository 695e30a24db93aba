"""A channel whose provider refuses us, does not answer or asks to wait pauses; plans stay, operations hear once."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_pipeline.channels.message import Message, Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.plays.outbox.channel_pauses import LONGEST_WAIT, UNANSWERED, ChannelPause, after_call
from cs_pipeline.plays.outbox.kill_switch import lift
from cs_pipeline.plays.outbox.operations import Notice, notify, untold
from cs_pipeline.plays.outbox.queue import due_by_channel
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company
from tests.builders.delivering import ToldChannel, all_by, deliver, enrolled, one_mail_play, states

REFUSED = Outcome("retry", detail="SendGrid answered 401: no", cause="channel")
NO_ANSWER = Outcome("uncertain", detail="SendGrid answered 500")
WAIT = Outcome("retry", detail="429")
SENT = Outcome("sent")
OUTCOMES = st.lists(
    st.sampled_from([REFUSED, NO_ANSWER, WAIT, SENT, Outcome("failed"), Outcome("retry", cause="not_asked")]),
    min_size=1,
    max_size=4,
)


def always(company: Company, settings: Settings, clock: Clock, answer: Callable[[Message], Outcome], hours: int) -> int:
    """Deliver every five minutes for `hours`; returns how many messages the provider was asked to take."""
    asked: list[str] = []

    def answering(message: Message) -> Outcome:
        if message.channel == "email":
            asked.append(message.action_key)
            return answer(message)
        return SENT

    for minutes in range(0, hours * 60 + 1, 5):
        clock.set(MONDAY + timedelta(minutes=minutes))
        deliver(company.warehouse, settings, clock, all_by(ToldChannel(answering)))
    return len(asked)


def notices(company: Company) -> list[object]:
    return company.column("select subject from cs.notices order by notice_id")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"mail_from_hour": 0, "mail_until_hour": 24, "ops_email": "ops@ours.example"})


def test_a_key_that_is_refused_for_an_hour_costs_no_message(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play(to="point_of_contact"), count=20)
    assert always(company, settings, clock, lambda _: REFUSED, 1) <= 6
    assert {status for status, _ in states(company)} == {"planned"}
    assert notices(company) == ["email: the provider refuses us, whatever the message"]
    clock.set(MONDAY + timedelta(hours=3))
    deliver(company.warehouse, settings, clock, all_by(ToldChannel()))
    assert states(company) == {("sent", None): 20}, "it goes on by itself"
    assert notices(company)[1:] == ["email takes messages again"]


def test_four_hours_without_an_answer_leave_few_uncertain(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play(to="point_of_contact"), count=40)
    channel_takes = 10
    uncertain = always(company, settings, clock, lambda _: NO_ANSWER, 4)
    assert uncertain <= UNANSWERED + channel_takes
    found = Counter(status for status, _ in states(company).elements())
    assert found == {"uncertain": uncertain, "planned": 40 - uncertain}
    assert notices(company)[0] == "email: the provider does not answer"


def test_hours_of_being_asked_to_wait_fail_nothing(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play(to="point_of_contact"), count=5)
    always(company, settings, clock, lambda _: WAIT, 8)
    assert {status for status, _ in states(company)} == {"planned"}
    assert notices(company) == ["email: the provider keeps asking us to wait"]


def test_no_run_is_asked_for_while_a_channel_pauses_and_a_person_can_end_it(
    company: Company, settings: Settings, clock: Clock
) -> None:
    enrolled(company, settings, one_mail_play(to="point_of_contact"), count=2)
    deliver(company.warehouse, settings, clock, all_by(ToldChannel(lambda _: REFUSED)))
    later = MONDAY + timedelta(minutes=2)
    with company.warehouse.session() as session:
        assert "email" not in due_by_channel(session, later)
        assert lift(session, "channel", "email")
        assert due_by_channel(session, later)["email"] == 2


def test_one_message_that_is_refused_though_others_get_through_pauses_nobody_for_ever(
    company: Company, settings: Settings, clock: Clock
) -> None:
    enrolled(company, settings, one_mail_play(to="point_of_contact"), count=6)
    always(company, settings, clock, lambda message: REFUSED if message.account_id == "a0" else SENT, 8)
    assert Counter(status for status, _ in states(company).elements())["sent"] == 5


@given(st.lists(OUTCOMES, max_size=30))
def test_a_channel_never_waits_longer_than_an_hour_and_opens_with_the_first_that_gets_through(
    calls: list[list[Outcome]],
) -> None:
    pause: ChannelPause | None = None
    now = MONDAY
    for outcomes in calls:
        pause = after_call(pause, "email", outcomes, now)
        if any(outcome.status in ("sent", "failed") for outcome in outcomes):
            assert pause is None
        elif REFUSED in outcomes:
            assert pause is not None
            assert pause.is_on(now)
        if pause is not None and pause.paused_until is not None:
            assert pause.paused_until <= now + LONGEST_WAIT
        now += timedelta(hours=1)


def test_operations_are_told_by_mail_when_slack_does_not_take_it_and_only_then(
    company: Company, settings: Settings, clock: Clock
) -> None:
    enrolled(company, settings, one_mail_play(to="point_of_contact"))
    email = ToldChannel(lambda _: REFUSED)
    channels = {**all_by(ToldChannel(lambda _: WAIT)), "email": email}
    deliver(company.warehouse, settings, clock, channels)
    email.answer = lambda _: SENT
    for minutes, status in ((6, "planned"), (11, "sent")):
        clock.set(MONDAY + timedelta(minutes=minutes))
        deliver(company.warehouse, settings, clock, channels)
        told = company.column("select status from cs.actions where notice_id = 1 and channel = 'email'")
        assert told == [status]


def test_no_mail_is_sent_of_what_slack_has_taken(company: Company, settings: Settings, clock: Clock) -> None:
    with company.warehouse.session() as session:
        notice = Notice("weather", "It rains", "Since Monday.\x00")
        assert [notify(session, notice, settings, MONDAY) for _ in range(2)] == [True, False]
    for minutes in (0, 15):
        clock.set(MONDAY + timedelta(minutes=minutes))
        deliver(company.warehouse, settings, clock)
    assert dict(company.run("select channel, status from cs.actions")) == {"slack": "sent", "email": "cancelled"}
    assert company.run("select subject, recipient from cs.captured_messages") == [("It rains", "#cs-pipeline")]


def test_who_could_not_be_told_is_told_by_doctor(company: Company, settings: Settings, clock: Clock) -> None:
    with company.warehouse.session() as session:
        notify(session, Notice("weather", "It rains", "Since Monday."), settings, MONDAY)
    deliver(company.warehouse, settings, clock, all_by(ToldChannel(lambda _: Outcome("failed"))))
    with company.warehouse.session() as session:
        assert untold(session, MONDAY) == []
        assert untold(session, MONDAY + timedelta(minutes=6)) == [("It rains", MONDAY)]
