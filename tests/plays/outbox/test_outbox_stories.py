"""The outbox under anything that can happen, in any order: nothing is sent twice, nothing is lost."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import count

import hypothesis
import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.message import LookupResult, Message, Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.plays.delivery.eligibility import check_eligibility
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.outbox import kill_switch
from cs_pipeline.plays.outbox.claim import claim, last_attempt
from cs_pipeline.plays.outbox.queue import PlannedAction, due
from cs_pipeline.plays.outbox.record import record
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import all_by, deliver

STEPS = [
    {"step": f"s{day}", "day": day, "channel": "email", "to": "champion", "template": "t", "intent": "educate"}
    for day in (0, 1, 4)
]
PLAY = save_play(steps=STEPS, stale_after_days=5)


class StoppedError(BaseException):
    """The run was stopped while the channel was at work."""


class Provider(BaseChannel):
    """A channel with a memory of what it accepted, which its answers need not agree with."""

    name = "provider"

    def __init__(self) -> None:
        self.batch_size = 1
        self.accepted: Counter[str] = Counter()
        self.answers: list[str] = []
        self.can_look = False

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        return [self.answer(message) for message in messages]

    def answer(self, message: Message) -> Outcome:
        answer = self.answers.pop() if self.answers else "sent"
        if answer in ("sent", "accepted, no answer", "accepted, worker stopped"):
            self.accepted[message.action_key] += 1
        if answer == "accepted, worker stopped":
            raise StoppedError
        if answer == "sent" or answer == "retry" or answer == "failed":
            return Outcome(answer)
        return Outcome("uncertain")

    def find(self, message: Message) -> LookupResult:
        if not self.can_look:
            return LookupResult("cannot_look")
        return LookupResult("found") if self.accepted[message.action_key] else LookupResult("not_found")


class World:
    """Four accounts in a play, a provider, a clock, workers that die, people that throw switches."""

    def __init__(self, company: Company, settings: Settings) -> None:
        company.run("truncate cs.actions, cs.enrolments, cs.triggers, cs.kill_switches cascade")
        company.run("update cs.health_scores set severity = 1, week = '2025-03-03'")
        self.company, self.settings = company, settings
        self.clock = Clock(MONDAY)
        self.provider = Provider()
        self.abandoned: list[tuple[PlannedAction, int, bool]] = []
        self.planned = 0
        self.falls = count()
        for account in range(4):
            self.an_account_falls(account)

    def an_account_falls(self, account: int) -> None:
        trigger = self.company.fall(f"a{account}", key=f"fall {next(self.falls)}")
        summary = enrol(self.company.warehouse, PLAY, [trigger], self.settings, self.clock.now())
        self.planned += sum(summary.actions.values())

    def a_worker_delivers(self, *answers: str) -> None:
        self.provider.answers = list(answers)
        with suppress(StoppedError):
            deliver(self.company.warehouse, self.settings, self.clock, all_by(self.provider), limit=len(answers))

    def a_worker_dies_after_claiming(self, is_accepted: bool) -> None:
        now = self.clock.now()
        with self.company.warehouse.session() as session:
            for job in check_eligibility(session, due(session, ["email"], 1, now), AsOf(self.settings, now)).jobs:
                newest = last_attempt(session)
                claims = claim(
                    session, {job.action.action_id: (job.action, "live")}, "doomed", now, judged_after=newest
                )
                attempt = claims[job.action.action_id]
                self.provider.accepted[job.action.action_key] += is_accepted
                self.abandoned.append((job.action, attempt, is_accepted))

    def a_dead_worker_turns_out_to_be_alive(self) -> None:
        if self.abandoned:
            action, attempt, is_accepted = self.abandoned.pop()
            with self.company.warehouse.session() as session:
                outcome = Outcome("sent" if is_accepted else "failed")
                record(session, {(action.action_id, attempt): outcome}, self.clock.now())

    def time_passes(self, minutes: int) -> None:
        self.clock.set(self.clock.now() + timedelta(minutes=minutes))

    def scores_become(self, severity: int) -> None:
        last_week = self.clock.now().date() - timedelta(days=self.clock.now().weekday() + 7)
        self.company.run("update cs.health_scores set severity = %s, week = %s", severity, last_week)

    def everything_is_stopped(self) -> None:
        with self.company.warehouse.session() as session:
            kill_switch.stop(session, "everything", kill_switch.EVERYTHING, "test", "olga", self.clock.now())

    def everything_goes_on(self) -> None:
        with self.company.warehouse.session() as session:
            kill_switch.lift(session, "everything", kill_switch.EVERYTHING)

    def the_provider_takes_at_once(self, messages: int) -> None:
        self.provider.batch_size = messages

    def the_provider_can_be_asked(self, can_look: bool) -> None:
        self.provider.can_look = can_look

    def check(self) -> None:
        """Nothing was accepted twice, no action is lost, and what the outbox says is so."""
        assert all(times <= 1 for times in self.provider.accepted.values())
        states = dict(self.company.run("select action_key, status from cs.actions"))
        assert len(states) == self.planned
        for action_key, status in states.items():
            is_accepted = self.provider.accepted[action_key] == 1
            assert is_accepted or status != "sent"
            assert not is_accepted or status in ("sent", "uncertain", "claimed")


EVENTS: list[tuple[object, ...]] = [
    ("a_worker_delivers", "sent"),
    ("a_worker_delivers", "sent", "retry", "sent"),
    ("a_worker_delivers", "failed", "sent"),
    ("a_worker_delivers", "accepted, no answer", "sent"),
    ("a_worker_delivers", "not accepted, no answer", "sent"),
    ("a_worker_delivers", "accepted, worker stopped"),
    ("a_worker_dies_after_claiming", True),
    ("a_worker_dies_after_claiming", False),
    ("a_dead_worker_turns_out_to_be_alive",),
    ("time_passes", 2),
    ("time_passes", 20),
    ("time_passes", 20),
    ("time_passes", 24 * 60),
    ("an_account_falls", 0),
    ("scores_become", 0),
    ("scores_become", 1),
    ("everything_is_stopped",),
    ("everything_goes_on",),
    ("everything_goes_on",),
    ("the_provider_takes_at_once", 1),
    ("the_provider_takes_at_once", 3),
    ("the_provider_can_be_asked", True),
    ("the_provider_can_be_asked", False),
]


@hypothesis.settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a story is short as it is, and shrinking one takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.sampled_from(EVENTS), min_size=20, max_size=30))
def test_nothing_is_sent_twice_and_nothing_lost_whatever_happens(
    company: Company, settings: Settings, events: list[tuple[object, ...]]
) -> None:
    if not company.column("select count(*) from marts.dim_accounts")[0]:
        company.accounts(4)
    world = World(company, settings)
    for event, *arguments in events:
        getattr(world, str(event))(*arguments)
        world.check()
