"""What becomes of an action by its provider's answer: sent, tried again, failed, or uncertain and then what."""

from collections.abc import Sequence
from datetime import timedelta

import psycopg2
import pytest

from cs_pipeline.channels.message import LookupResult, Message, Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.plays.outbox.kill_switch import EVERYTHING, stop
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import (
    ONE_MAIL,
    PlainRenderer,
    ToldChannel,
    all_by,
    deliver,
    enrolled,
    one_mail_play,
    states,
)


def test_a_refused_action_comes_back_later_and_ever_later(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play())
    channel = ToldChannel(lambda _: Outcome("retry", detail="429"))
    waits = []
    for _ in range(4):
        deliver(company.warehouse, settings, clock, all_by(channel))
        (due_at,) = company.column("select due_at from cs.actions where notice_id is null")
        waits.append((due_at - clock.now()).total_seconds() / 60)  # pyright: ignore[reportOperatorIssue]
        clock.set(due_at)  # pyright: ignore[reportArgumentType]
    assert waits == [1, 2, 4, 8]
    channel.answer = lambda _: Outcome("sent")
    deliver(company.warehouse, settings, clock, all_by(channel))
    assert states(company) == {("sent", None): 1}


def test_a_provider_is_not_asked_before_it_wants_to_be(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play())
    channel = ToldChannel(lambda _: Outcome("retry", retry_after=timedelta(hours=2)))
    deliver(company.warehouse, settings, clock, all_by(channel))
    assert company.column("select due_at from cs.actions") == [MONDAY + timedelta(hours=2)]


def test_a_channel_that_asks_for_a_pause_is_left_alone(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play(), count=3)
    asked = []

    def refuse(message: Message) -> Outcome:
        asked.append(message.action_key)
        return Outcome("retry", detail="429")

    summary = deliver(company.warehouse, settings, clock, all_by(ToldChannel(refuse)))
    assert (len(asked), summary.paused) == (1, {"email": "429"})
    assert states(company) == {("planned", "retry"): 1, ("planned", None): 2}


@pytest.mark.parametrize(("others_get_through", "then"), [(True, ("failed", "gave_up")), (False, ("planned", "retry"))])
def test_an_action_that_is_always_refused_fails_in_the_end_when_others_get_through(
    company: Company, settings: Settings, clock: Clock, others_get_through: bool, then: tuple[str, str]
) -> None:
    settings = settings.model_copy(update={"mail_from_hour": 0, "mail_until_hour": 24})
    enrolled(company, settings, save_play(steps=[ONE_MAIL], stale_after_days=60), count=2)
    company.run("update cs.actions set due_at = due_at + interval '1 day' where account_id = 'a1'")

    def answer(message: Message) -> Outcome:
        is_taken = others_get_through and message.account_id == "a1"
        return Outcome("sent") if is_taken else Outcome("retry", detail="429")

    for _ in range(40):
        deliver(company.warehouse, settings, clock, all_by(ToldChannel(answer)))
        clock.set(clock.now() + timedelta(hours=1))
    assert company.run("select status, reason from cs.actions where account_id = 'a0'") == [then]


def test_a_refusal_for_good_keeps_the_words_of_the_provider(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play())
    channel = ToldChannel(lambda _: Outcome("failed", detail="400: no such template"))
    deliver(company.warehouse, settings, clock, all_by(channel))
    assert company.run("select status, reason, detail from cs.actions") == [
        ("failed", "refused", "400: no such template")
    ]


def test_an_uncertain_mail_is_never_sent_again(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play())
    channel = ToldChannel(lambda _: Outcome("uncertain", detail="timed out"))
    for hours in (0, 1, 24, 48):
        clock.set(MONDAY + timedelta(hours=hours))
        deliver(company.warehouse, settings, clock, all_by(channel))
    assert len(channel.delivered) == 1
    assert states(company) == {("uncertain", "no_answer"): 1}


@pytest.mark.parametrize(("state", "delivered", "status"), [("found", 1, "sent"), ("not_found", 2, "sent")])
def test_an_uncertain_action_is_settled_by_looking(
    company: Company, settings: Settings, clock: Clock, state: str, delivered: int, status: str
) -> None:
    enrolled(company, settings, one_mail_play())
    channel = ToldChannel(lambda _: Outcome("uncertain"))
    deliver(company.warehouse, settings, clock, all_by(channel))
    channel.answer = lambda _: Outcome("sent")
    channel.found = LookupResult(state, provider_id="p7")  # pyright: ignore[reportArgumentType]
    deliver(company.warehouse, settings, clock, all_by(channel))
    assert states(company) == {("uncertain", "no_answer"): 1}  # the request may still be on its way
    clock.set(MONDAY + timedelta(minutes=6))
    deliver(company.warehouse, settings, clock, all_by(channel))
    assert len(channel.delivered) == delivered
    assert company.column("select status from cs.actions") == [status]


def test_what_may_have_been_sent_is_not_looked_for_among_the_captures(
    company: Company, settings: Settings, clock: Clock
) -> None:
    enrolled(company, settings, one_mail_play())
    channel = ToldChannel(lambda _: Outcome("uncertain"), found=LookupResult("not_found"))
    deliver(company.warehouse, settings, clock, all_by(channel))
    channel.goes = "capture"
    clock.set(MONDAY + timedelta(minutes=6))
    deliver(company.warehouse, settings, clock, all_by(channel))
    assert states(company) == {("uncertain", "no_answer"): 1}


def test_a_worker_that_never_came_back_leaves_its_action_uncertain(
    company: Company, settings: Settings, clock: Clock
) -> None:
    enrolled(company, settings, one_mail_play())

    class DiesError(BaseException):
        pass

    class DyingSession(ToldChannel):
        def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
            company.run(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where state = 'idle' and datname = current_database()"
            )
            raise DiesError

    with pytest.raises(psycopg2.Error):  # the worker's connection is gone
        deliver(company.warehouse, settings, clock, all_by(DyingSession()))
    assert states(company) == {("claimed", None): 1}
    channel = ToldChannel()
    deliver(company.warehouse, settings, clock, all_by(channel))
    assert states(company) == {("claimed", None): 1}
    clock.set(MONDAY + timedelta(minutes=15))
    assert deliver(company.warehouse, settings, clock, all_by(channel)).leases_expired == 1
    assert states(company) == {("uncertain", "worker_lost"): 1}
    assert channel.delivered == []


def test_a_run_that_is_stopped_while_it_sends_leaves_the_action_uncertain(
    company: Company, settings: Settings, clock: Clock
) -> None:
    enrolled(company, settings, one_mail_play(), count=2)

    def interrupt(message: Message) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(company.warehouse, settings, clock, all_by(ToldChannel(interrupt)))
    assert states(company) == {("uncertain", "no_answer"): 1, ("planned", None): 1}


def test_a_late_answer_beats_uncertain(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play())

    def slow(message: Message) -> Outcome:
        clock.set(MONDAY + timedelta(hours=1))
        deliver(company.warehouse, settings, clock, all_by(ToldChannel()))
        assert states(company) == {("uncertain", "worker_lost"): 1}
        return Outcome("sent", provider_id="p1")

    deliver(company.warehouse, settings, clock, all_by(ToldChannel(slow)))
    assert company.run("select status, provider_id from cs.actions") == [("sent", "p1")]


def test_a_late_answer_to_an_old_attempt_changes_nothing(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play())
    second = ToldChannel(lambda _: Outcome("uncertain"), found=LookupResult("not_found"))

    def slow(message: Message) -> Outcome:
        clock.set(MONDAY + timedelta(hours=1))
        deliver(company.warehouse, settings, clock, all_by(second))
        return Outcome("failed", detail="too late")

    deliver(company.warehouse, settings, clock, all_by(ToldChannel(slow)))
    assert states(company) == {("uncertain", "no_answer"): 1}
    assert company.run("select attempt, outcome from cs.action_attempts order by 1") == [
        (1, "failed"),
        (2, "uncertain"),
    ]


def test_a_late_answer_beats_a_plan_to_try_again(company: Company, settings: Settings, clock: Clock) -> None:
    enrolled(company, settings, one_mail_play())
    second = ToldChannel(found=LookupResult("not_found"))

    def slow(message: Message) -> Outcome:
        clock.set(MONDAY + timedelta(hours=1))
        with company.warehouse.session() as session:
            stop(session, "everything", EVERYTHING, "test", "olga", MONDAY)
        deliver(company.warehouse, settings, clock, all_by(second))
        assert states(company) == {("planned", "kill_switch"): 1}
        return Outcome("sent", provider_id="first")

    deliver(company.warehouse, settings, clock, all_by(ToldChannel(slow)))
    assert company.run("select status, provider_id from cs.actions") == [("sent", "first")]


def test_a_message_that_cannot_be_written_fails_before_anything_is_sent(
    company: Company, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled(company, settings, one_mail_play(), count=3)
    rendered, render = [], PlainRenderer.render

    def fail_for_second(self: PlainRenderer, *arguments: object) -> Message:
        message = render(self, *arguments)  # pyright: ignore[reportArgumentType]
        rendered.append(message.action_key)
        if message.account_id == "a1":
            raise UserError("t.mjml.j2:3: 'nickname' is not known")
        return message

    monkeypatch.setattr(PlainRenderer, "render", fail_for_second)
    channel = ToldChannel(lambda message: Outcome("sent") if len(rendered) == 3 else Outcome("failed"))
    summary = deliver(company.warehouse, settings, clock, all_by(channel))
    assert states(company) == {("sent", None): 2, ("failed", "not_rendered"): 1}
    assert summary.problems == ["yellow, step guide: t.mjml.j2:3: 'nickname' is not known"]
