"""A provider that takes several calls at once gets them: each claimed before and recorded after, by one thread."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from cs_pipeline.channels.message import Message, Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.plays.outbox.channel_pauses import FIRST_WAITS, UNANSWERED
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company
from tests.builders.delivering import ToldChannel, all_by, deliver, enrolled, one_mail_play, states

AT_A_TIME = 4
SENT = Outcome("sent", provider_id="p1")
TAKES = 0.02  # seconds for an answer


class Busy(ToldChannel):
    """Takes AT_A_TIME calls of one message; knows how many were ever under way together."""

    calls_at_a_time = AT_A_TIME

    def __init__(self, answer: Callable[[Message], Outcome] = lambda _: SENT) -> None:
        super().__init__(self.answer_slowly)
        self.decide, self.most, self.now, self.lock = answer, 0, 0, threading.Lock()

    def answer_slowly(self, message: Message) -> Outcome:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            time.sleep(TAKES)
            return self.decide(message)
        finally:
            with self.lock:
                self.now -= 1


@pytest.fixture
def mails(company: Company, settings: Settings) -> Company:
    """Forty mails that are due."""
    enrolled(company, settings, one_mail_play(to="point_of_contact"), count=40)
    return company


def test_as_many_calls_are_under_way_as_the_channel_bears_and_each_mail_goes_out_once(
    mails: Company, settings: Settings, clock: Clock
) -> None:
    channel = Busy()
    summary = deliver(mails.warehouse, settings, clock, all_by(channel))
    assert channel.most == AT_A_TIME
    assert Counter(channel.delivered) == Counter(mails.column("select action_key from cs.actions"))
    assert states(mails) == {("sent", None): 40}
    assert summary.count("sent") == 40


def test_no_more_calls_begin_than_the_limit_of_a_delivery(mails: Company, settings: Settings, clock: Clock) -> None:
    deliver(mails.warehouse, settings, clock, all_by(Busy()), limit=7)
    assert states(mails) == {("sent", None): 7, ("planned", None): 33}


def test_a_provider_that_asks_to_wait_is_asked_again_after_one_pause_however_many_calls_it_met(
    mails: Company, settings: Settings, clock: Clock
) -> None:
    wait = Outcome("retry", detail="429", retry_after=timedelta(minutes=3))
    channel = Busy(lambda _: wait)
    deliver(mails.warehouse, settings, clock, all_by(channel))
    assert mails.run("select calls, paused_until from cs.channel_pauses") == [(1, MONDAY + timedelta(minutes=3))]
    assert {status for status, _ in states(mails)} == {"planned"}
    assert mails.column("select count(*) from cs.notices") == [0], "to be asked to wait is ordinary"


def test_an_answer_from_before_a_pause_neither_ends_nor_multiplies_it(
    mails: Company, settings: Settings, clock: Clock
) -> None:
    numbers = iter(range(40))
    refused = Outcome("retry", detail="SendGrid answered 401: no", cause="channel")

    def first_is_refused(_: Message) -> Outcome:
        number = next(numbers)
        time.sleep(TAKES * number)
        return refused if number in (0, 2) else SENT

    deliver(mails.warehouse, settings, clock, all_by(Busy(first_is_refused)))
    assert mails.run("select calls, paused_until from cs.channel_pauses") == [(1, MONDAY + FIRST_WAITS["refused"])]
    found = states(mails)
    assert sum(found.values()) == 40
    assert 2 <= found["sent", None] <= 2 * AT_A_TIME


def test_an_outage_leaves_no_more_uncertain_than_were_under_way_and_few_that_try(
    mails: Company, settings: Settings, clock: Clock
) -> None:
    deliver(mails.warehouse, settings, clock, all_by(Busy(lambda _: Outcome("uncertain", detail="500"))))
    found = states(mails)
    assert 1 <= found["uncertain", "no_answer"] <= 2 * AT_A_TIME + UNANSWERED
    (until,) = mails.column("select paused_until from cs.channel_pauses")
    assert until == MONDAY + FIRST_WAITS["no_answer"]


def test_a_call_that_breaks_off_waits_for_the_answers_of_the_others(
    mails: Company, settings: Settings, clock: Clock
) -> None:
    numbers = iter(range(40))

    def second_is_stopped(_: Message) -> Outcome:
        if next(numbers) == 1:
            raise KeyboardInterrupt
        time.sleep(10 * TAKES)
        return SENT

    channel = Busy(second_is_stopped)
    with pytest.raises(KeyboardInterrupt):
        deliver(mails.warehouse, settings, clock, all_by(channel))
    found = states(mails)
    assert found["uncertain", "no_answer"] == 1
    assert found["sent", None] == len(channel.delivered) >= AT_A_TIME - 1
    assert not found["claimed", None], "nothing is left to its lease"
