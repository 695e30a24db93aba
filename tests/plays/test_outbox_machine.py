"""The outbox under anything that can happen, in any order: nothing is sent twice, nothing is lost."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from itertools import count

import hypothesis
import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from cs_pipeline.channels.message import Delivery, Finding, Message, Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.plays import kill_switch, outbox
from cs_pipeline.plays.due import due
from cs_pipeline.plays.enrolment import enrol
from cs_pipeline.plays.facts import Asking
from cs_pipeline.plays.judging import judge
from cs_pipeline.settings import Settings
from tests.plays.company import MONDAY, Company, save_play
from tests.plays.delivering import all_by, deliver

STEPS = [
    {"step": f"s{day}", "day": day, "channel": "email", "to": "champion", "template": "t", "intent": "educate"}
    for day in (0, 1, 4)
]
PLAY = save_play(steps=STEPS, stale_after_days=5)
ANSWERS = ("sent", "retry", "failed", "accepted, no answer", "not accepted, no answer", "accepted, worker stopped")


class StoppedError(BaseException):
    """The run was stopped while the channel was at work."""


class Provider:
    """A channel with a memory of what it accepted, which its answers need not agree with."""

    name = "provider"

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        self.answers: list[str] = []
        self.can_look = False

    def delivery_to(self, recipient: str) -> Delivery:
        return "live"

    def deliver(self, message: Message) -> Outcome:
        answer = self.answers.pop() if self.answers else "sent"
        if answer in ("sent", "accepted, no answer", "accepted, worker stopped"):
            self.accepted[message.action_key] += 1
        if answer == "accepted, worker stopped":
            raise StoppedError
        if answer == "sent" or answer == "retry" or answer == "failed":
            return Outcome(answer)
        return Outcome("uncertain")

    def find(self, message: Message) -> Finding:
        if not self.can_look:
            return Finding("cannot_look")
        return Finding("found") if self.accepted[message.action_key] else Finding("not_found")


class Outbox(RuleBasedStateMachine):
    """Enrolments, deliveries, crashes, late answers, exits, switches and time, as hypothesis orders them."""

    company: Company
    settings: Settings

    @initialize()
    def start(self) -> None:
        self.company.run("truncate cs.action_attempts, cs.actions, cs.enrolments, cs.triggers, cs.kill_switches")
        self.company.run("update cs.health_scores set severity = 1, band = 'Yellow'")
        self.clock = Clock(MONDAY)
        self.provider = Provider()
        self.abandoned: list = []
        self.planned = 0
        self.falls = count()

    @rule(account=st.integers(0, 3))
    def an_account_falls(self, account: int) -> None:
        trigger = self.company.fall(f"a{account}", key=f"fall {next(self.falls)}")
        summary = enrol(self.company.warehouse, PLAY, [trigger], self.settings, self.clock.now())
        self.planned += sum(summary.actions.values())

    @rule(answers=st.lists(st.sampled_from(ANSWERS), max_size=4), limit=st.integers(1, 5))
    def a_worker_delivers(self, answers: list[str], limit: int) -> None:
        self.provider.answers = answers
        with suppress(StoppedError):
            deliver(self.company.warehouse, self.settings, self.clock, all_by(self.provider), limit=limit)

    @rule(is_accepted=st.booleans())
    def a_worker_dies_after_claiming(self, is_accepted: bool) -> None:
        with self.company.warehouse.session() as session:
            rows = due(session, ["email"], 1, self.clock.now())
            jobs = judge(session, rows, Asking(self.settings, self.clock.now())).jobs
            for job in jobs:
                attempt = outbox.claim(session, job.action, "live", "doomed", self.clock.now())
                assert attempt is not None
                self.provider.accepted[job.action.action_key] += is_accepted
                self.abandoned.append((job.action, attempt, is_accepted))

    @rule()
    def a_dead_worker_turns_out_to_be_alive(self) -> None:
        if self.abandoned:
            action, attempt, is_accepted = self.abandoned.pop()
            with self.company.warehouse.session() as session:
                outcome = Outcome("sent" if is_accepted else "failed")
                outbox.record(session, action, attempt, outcome, self.clock.now())

    @rule(minutes=st.sampled_from([1, 20, 60 * 24, 60 * 24 * 3]))
    def time_passes(self, minutes: int) -> None:
        self.clock.set(self.clock.now() + timedelta(minutes=minutes))

    @rule(account=st.integers(0, 3), severity=st.sampled_from([0, 1]))
    def the_score_changes(self, account: int, severity: int) -> None:
        self.company.run(
            "update cs.health_scores set severity = %s, week = %s where account_id = %s",
            severity,
            self.clock.now().date() - timedelta(days=self.clock.now().weekday() + 7),
            f"a{account}",
        )

    @rule(is_stopped=st.booleans())
    def somebody_throws_the_switch(self, is_stopped: bool) -> None:
        with self.company.warehouse.session() as session:
            if is_stopped:
                kill_switch.stop(session, "everything", "*", "test", "olga", self.clock.now())
            else:
                kill_switch.lift(session, "everything", "*")

    @rule(can_look=st.booleans())
    def the_provider_can_be_asked(self, can_look: bool) -> None:
        self.provider.can_look = can_look

    @invariant()
    def nothing_is_accepted_twice(self) -> None:
        assert all(times <= 1 for times in self.provider.accepted.values())

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.company.column("select count(*) from cs.actions") == [self.planned]

    @invariant()
    def what_the_outbox_says_is_so(self) -> None:
        for action_key, status in self.company.run("select action_key, status from cs.actions"):
            is_accepted = self.provider.accepted[action_key] == 1
            if status == "sent":
                assert is_accepted
            if is_accepted:
                assert status in ("sent", "uncertain", "claimed")


def test_nothing_is_sent_twice_and_nothing_lost_whatever_happens(company: Company, settings: Settings) -> None:
    company.accounts(4)
    Outbox.company, Outbox.settings = company, settings
    run_state_machine_as_test(
        Outbox,
        settings=hypothesis.settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            derandomize=True,
            phases=[Phase.generate],  # an example is already short; shrinking it takes minutes
        ),
    )
