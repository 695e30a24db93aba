"""Between judging and sending the world goes on: other deliveries send, people unsubscribe, providers are looked up."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import dagster as dg
import pytest

from cs_pipeline.channels.message import LookupResult, Message, Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.history.slices import Slice
from cs_pipeline.orchestration.keys import SERIAL_TAG, SLICE_TAG
from cs_pipeline.orchestration.sensors.due_actions import due_actions_sensor
from cs_pipeline.plays.delivery import dispatcher
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.outbox.queue import PlannedAction
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import ONE_MAIL, PlainRenderer, ToldChannel, all_by, deliver, states


def mail_is_due(company: Company, settings: Settings, playbook: str, *accounts: str) -> None:
    play = save_play(playbook=playbook, family=playbook, exit=[], steps=[ONE_MAIL])
    triggers = [company.fall(account, key=f"{playbook} {account}") for account in accounts]
    enrol(company.warehouse, play, triggers, settings, MONDAY)


class WhileWriting(PlainRenderer):
    """Something happens once, after everything is judged and before anything is claimed."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self._happens: Callable[[], object] | None = happens

    def render(self, playbook: Playbook, step: Step, facts: Mapping[str, object], action: PlannedAction) -> Message:
        happens, self._happens = self._happens, None
        if happens is not None:
            happens()
        return super().render(playbook, step, facts, action)


def deliver_by(warehouse: Warehouse, channel: ToldChannel, settings: Settings, clock: Clock, *, writing: WhileWriting):
    return dispatcher.deliver_due(warehouse, {"email": channel}, writing, settings, clock)


def test_two_deliveries_at_once_keep_the_cap_of_a_person(company: Company, settings: Settings, clock: Clock) -> None:
    settings = settings.model_copy(update={"mails_per_person": 1})
    for account in ("acme", "other"):
        company.account(account, severity=1)
    mail_is_due(company, settings, "first", "acme", "other")
    channel = ToldChannel()

    def another_delivery() -> None:
        mail_is_due(company, settings, "second", "acme")
        company.run("update cs.actions set due_at = due_at - interval '1 hour' where playbook = 'second'")
        deliver(company.warehouse, settings, clock, all_by(channel), limit=1)

    deliver_by(company.warehouse, channel, settings, clock, writing=WhileWriting(another_delivery))
    assert company.run("select account_id, playbook, status from cs.actions order by 1, 2") == [
        ("acme", "first", "planned"),
        ("acme", "second", "sent"),
        ("other", "first", "sent"),
    ]
    deliver(company.warehouse, settings, clock, all_by(channel))
    assert company.column("select reason from cs.actions where playbook = 'first' and account_id = 'acme'") == [
        "frequency_cap"
    ]


def test_deliveries_of_slices_take_each_accounts_actions_once(
    company: Company, settings: Settings, clock: Clock
) -> None:
    accounts = company.accounts(12)
    mail_is_due(company, settings, "first", *accounts)
    settings = settings.model_copy(update={"delivery_slices": 3})
    resources = {"warehouse": company.warehouse, "settings": settings, "clock": clock}
    with dg.build_sensor_context(resources=resources) as context:
        requests = due_actions_sensor(context)
    assert isinstance(requests, list)
    assert len({request.run_key for request in requests}) == 3
    assert len({request.tags[SERIAL_TAG] for request in requests}) == 3, "none waits for another"
    taken: list[str] = []
    for request in requests:
        channel = ToldChannel()
        part = Slice.named(request.tags[SLICE_TAG])
        dispatcher.deliver_due(company.warehouse, all_by(channel), PlainRenderer(), settings, clock, part=part)
        assert 0 < len(channel.delivered) < len(accounts)
        taken += channel.delivered
    assert len(taken) == len(accounts)
    assert set(taken) == set(company.column("select action_key from cs.actions"))


def test_what_was_judged_long_ago_is_judged_again(
    company: Company, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "JUDGED_FOR", 0.0)
    for account in ("a", "b", "c"):
        company.account(account, severity=1)
    mail_is_due(company, settings, "first", "a", "b", "c")

    def and_the_next_unsubscribes(message: Message) -> Outcome:
        company.run(
            "update marts.dim_contacts set unsubscribed_at = %s where account_id = chr(ascii(%s) + 1)",
            MONDAY,
            message.account_id,
        )
        return Outcome("sent")

    deliver(company.warehouse, settings, clock, all_by(ToldChannel(and_the_next_unsubscribes)))
    assert company.run("select account_id, status, reason from cs.actions order by 1") == [
        ("a", "sent", None),
        ("b", "suppressed", "unsubscribed"),
        ("c", "sent", None),
    ]


def test_an_old_answer_about_an_attempt_does_not_settle_the_next(
    company: Company, settings: Settings, clock: Clock
) -> None:
    company.account("acme", severity=1)
    mail_is_due(company, settings, "first", "acme")
    deliver(company.warehouse, settings, clock, all_by(ToldChannel(lambda _: Outcome("uncertain"))))

    class SlowToLook(ToldChannel):
        """While it is asked, another delivery looks too, sends again, and loses sight of that attempt."""

        def find(self, message: Message) -> LookupResult:
            other = ToldChannel(lambda _: Outcome("uncertain"), found=LookupResult("not_found"))
            deliver(company.warehouse, settings, clock, all_by(other))
            return LookupResult("not_found")

        def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
            raise AssertionError("what may have arrived is not sent again")

    clock.set(MONDAY + timedelta(minutes=6))
    deliver(company.warehouse, settings, clock, all_by(SlowToLook()))
    assert company.run("select status, attempts from cs.actions") == [("uncertain", 2)]


def test_only_mails_of_one_envelope_become_uncertain_together(
    company: Company, settings: Settings, clock: Clock
) -> None:
    for account in ("a", "b", "c"):
        company.account(account, severity=1)
    for playbook in ("first", "second"):
        mail_is_due(company, settings, playbook, "a", "b", "c")

    class OfAccounts(ToldChannel):
        """A call is of one account; the machine goes down in the second."""

        def batch_key(self, message: Message) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
            return message.account_id

        def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
            assert len({message.account_id for message in messages}) == 1
            if self.delivered:
                raise KeyboardInterrupt
            return super().deliver(messages)

    with pytest.raises(KeyboardInterrupt):
        deliver(company.warehouse, settings, clock, all_by(OfAccounts(batch_size=100)))
    assert states(company) == {("sent", None): 2, ("uncertain", "no_answer"): 2, ("planned", None): 2}
