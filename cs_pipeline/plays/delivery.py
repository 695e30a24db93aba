"""Taking due actions: the one loop that calls channels, and the only place from which anything leaves.

Each call of a channel lies between two commits: the claim before it, what came of it after. A worker that dies in
between leaves claims whose lease runs out, so their actions end `uncertain`, and nothing is ever sent on a guess.
"""

import os
import socket
import uuid
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import Channel, Delivery, Message, Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.plays import dropping, exits, kill_switch, outbox
from cs_pipeline.plays.due import PlannedAction, due, uncertain
from cs_pipeline.plays.facts import Asking
from cs_pipeline.plays.judging import Job, as_claimed, judge
from cs_pipeline.plays.specification import Playbook, Step
from cs_pipeline.plays.threads import in_threads
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

MOST_AT_A_TIME = 1_000  # actions judged and rendered together: as many as a call of a provider takes
CALLS_AT_A_TIME = 50
LOOKED_UP_AT_A_TIME = 200  # each asks the provider
JUDGED_FOR = 60.0  # seconds; what was not taken by then is judged and rendered again

Written = tuple[PlannedAction, Message]


class Renderer(Protocol):
    """Writes the message of a step. Raises UserError when it cannot."""

    def render(self, playbook: Playbook, step: Step, facts: Mapping[str, object], action: PlannedAction) -> Message:
        """The message as its recipient will see it."""
        ...


@dataclass
class DeliverySummary:
    """What one delivery did.

    `outcomes` counts calls by channel and what came of them (captured, sent, retry, failed, uncertain); `suppressed`
    and `failed` count actions that were not taken, by reason, and `postponed` those that wait; `ended` counts plays by
    exit reason; `settled` counts uncertain actions by what was found. `paused`: channels whose provider asked to wait,
    with its words.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    suppressed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    postponed: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    completed: int = 0
    leases_expired: int = 0
    settled: Counter[str] = field(default_factory=Counter)
    held: int = 0
    paused: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def count(self, outcome: str) -> int:
        """How many attempts ended as `outcome`, over all channels."""
        return sum(number for (_, found), number in self.outcomes.items() if found == outcome)


def deliver_due(
    warehouse: Warehouse,
    channels: Mapping[str, Channel],
    renderer: Renderer,
    settings: Settings,
    clock: Clock,
    limit: int = 1_000,
) -> DeliverySummary:
    """Take up to `limit` actions that are due on `channels` (by kind of message: email, slack, crm, …).

    Before that, what is uncertain is looked up where the provider allows it, plays end whose exit conditions hold,
    and what is stale is dropped. Any number of deliveries may run at once. A channel that asks for a pause is left
    alone for the rest of the call. Raises UserError when the marts are not built.
    """
    summary = DeliverySummary()
    with warehouse.session() as session:
        delivery = _Delivery(session, channels, renderer, settings, clock, summary)
        delivery.prepare()
        delivery.run(limit)
        summary.completed = exits.complete(session, delivery.asking())
    return summary


@dataclass
class _Delivery:
    session: Session
    channels: Mapping[str, Channel]
    renderer: Renderer
    settings: Settings
    clock: Clock
    summary: DeliverySummary
    worker: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}")

    def asking(self) -> Asking:
        return Asking(self.settings, self.clock.now())

    def prepare(self) -> None:
        """Everything that is decided before anything goes out, each in a transaction of its own."""
        asking = self.asking()
        self.summary.leases_expired = outbox.expire_leases(self.session, asking.now)
        self.session.commit()
        self._settle(asking)
        self.summary.ended = exits.end_plays(self.session, asking)
        self.session.commit()
        self.summary.suppressed.update(dropping.drop_stale(self.session, asking.now))
        self.summary.held = kill_switch.mark_held(self.session, asking.now)
        self.session.commit()

    def run(self, limit: int) -> None:
        """Judge, render, deliver and record, batch by batch, until nothing is due or `limit` is reached."""
        taken = 0
        seen: set[int] = set()
        while taken < limit:
            asking = self.asking()
            batch = due(self.session, self._open_channels(), min(self._at_a_time(), limit - taken), asking.now)
            if seen.issuperset(batch["action_id"]):
                return
            seen.update(batch["action_id"])
            judged_after = outbox.last_attempt(self.session)
            self.session.commit()
            judged_at = monotonic()
            calls = self._calls(self._written(self._judged(batch, asking)))
            for position, (channel, together) in enumerate(calls):
                if channel in self.summary.paused:
                    continue
                if position > 0 and monotonic() - judged_at >= JUDGED_FOR:
                    seen.difference_update(action.action_id for action, _ in together)
                else:
                    taken += self._take(channel, together, judged_after)

    def _open_channels(self) -> list[str]:
        return [name for name in self.channels if name not in self.summary.paused]

    def _at_a_time(self) -> int:
        """A batch is a matter of a minute also where a call takes one message and a second."""
        most = max((self.channels[name].most_at_once for name in self._open_channels()), default=1)
        return min(CALLS_AT_A_TIME * most, MOST_AT_A_TIME)

    def _calls(self, written: list[Written]) -> Iterator[tuple[str, list[Written]]]:
        """The messages of each call of a channel: as many as it takes, in the order they are due, of one envelope."""
        alike: dict[tuple[str, Hashable], list[Written]] = {}
        for action, message in written:
            envelope = self.channels[action.channel].envelope(message)
            alike.setdefault((action.channel, envelope), []).append((action, message))
        for (name, _), together in alike.items():
            most = self.channels[name].most_at_once
            for start in range(0, len(together), most):
                yield name, together[start : start + most]

    def _judged(self, batch: pd.DataFrame, asking: Asking) -> list[Job]:
        judgement = judge(self.session, batch, asking)
        dropping.drop(self.session, "suppressed", judgement.suppressed)
        dropping.drop(self.session, "failed", judgement.failed)
        dropping.postpone(self.session, judgement.postponed)
        self.session.commit()
        self.summary.suppressed.update(judgement.suppressed.values())
        self.summary.failed.update(judgement.failed.values())
        self.summary.postponed.update(wait.reason for wait in judgement.postponed.values())
        return judgement.jobs

    def _written(self, jobs: list[Job]) -> list[Written]:
        """Every message of the batch, before the first goes out; what cannot be written fails with the reason."""
        written: list[Written] = []
        failed: dict[int, str] = {}
        for job in jobs:
            try:
                written.append((job.action, self.renderer.render(job.playbook, job.step, job.facts, job.action)))
            except UserError as error:
                failed[job.action.action_id] = "not_rendered"
                self.summary.problems.append(f"{job.action.playbook}, step {job.action.step}: {error}")
        dropping.drop(self.session, "failed", failed)
        self.summary.failed.update(failed.values())
        self.session.commit()
        return written

    def _take(self, name: str, together: list[Written], judged_after: int) -> int:
        """Claim, deliver, record: one call of a channel. Returns how many actions were still to be had."""
        channel = self.channels[name]
        together = in_threads(self.session, together)  # now that the message before these is sent
        wanted: dict[int, tuple[PlannedAction, Delivery]] = {
            action.action_id: (action, channel.delivery_to(message.recipient)) for action, message in together
        }
        attempts = outbox.claim(self.session, wanted, self.worker, self.clock.now(), judged_after=judged_after)
        self.session.commit()
        claimed = [(action, message) for action, message in together if action.action_id in attempts]
        if not claimed:
            return 0
        keys = [(action.action_id, attempts[action.action_id]) for action, _ in claimed]
        try:
            outcomes = channel.deliver([message for _, message in claimed])
        except BaseException as error:
            # Whether the provider has them is unknown, also when the run is being stopped.
            words = f"the channel broke off: {type(error).__name__}"
            lost = {key: Outcome("uncertain", detail=words, delivery=wanted[key[0]][1]) for key in keys}
            outbox.record(self.session, lost, self.clock.now())
            self.session.commit()
            raise
        outbox.record(self.session, dict(zip(keys, outcomes, strict=True)), self.clock.now())
        self.session.commit()
        for outcome in outcomes:
            is_captured = outcome.status == "sent" and outcome.delivery == "capture"
            self.summary.outcomes[name, "captured" if is_captured else outcome.status] += 1
            if outcome.status == "retry":
                self.summary.paused[name] = outcome.detail or "asked to wait"
        return len(claimed)

    def _settle(self, asking: Asking) -> None:
        """Look uncertain actions up where they would go today; elsewhere they are not to be found."""
        rows = uncertain(self.session, list(self.channels), LOOKED_UP_AT_A_TIME, asking.now)
        if rows.empty:
            return
        jobs = as_claimed(self.session, rows, asking)
        self.session.commit()
        for job in jobs:
            channel = self.channels[job.action.channel]
            if channel.delivery_to(job.action.recipient or "") != job.action.delivery:
                continue  # the delivery mode has changed since: a person decides
            try:
                message = self.renderer.render(job.playbook, job.step, job.facts, job.action)
            except UserError:
                continue  # it stays uncertain, for a person
            ((_, message),) = in_threads(self.session, [(job.action, message)])
            self.session.commit()  # nothing stays open while the provider is asked
            finding = channel.find(message)
            if outbox.settle(self.session, job.action.action_id, job.action.attempts, finding, self.clock.now()):
                self.summary.settled[finding.state] += 1
            self.session.commit()
