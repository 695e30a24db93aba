"""Taking due actions: the one loop that calls channels, and the only place from which anything leaves.

Each call of a channel lies between two commits: the claim before it, what came of it after. A worker that dies in
between leaves claims whose lease runs out, so their actions end `uncertain`, and nothing is ever sent on a guess. One
that was stopped meanwhile cannot send any more: `channels.fence` is around each call.
"""

import os
import socket
import uuid
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.fence import Fence
from cs_pipeline.channels.message import Delivery, LookupResult, Message, Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.plays.delivery.eligibility import Job, as_claimed, judge
from cs_pipeline.plays.delivery.slack_threads import in_threads
from cs_pipeline.plays.enrolment import exits
from cs_pipeline.plays.enrolment.postgres_store import PostgresStore
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.outbox import channel_pauses, kill_switch, notices, suppress, transitions
from cs_pipeline.plays.outbox.channel_pauses import ChannelPause
from cs_pipeline.plays.outbox.queue import PlannedAction, due, uncertain
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

MOST_AT_A_TIME = 1_000  # actions judged and rendered together: as many as a call of a provider takes
CALLS_AT_A_TIME = 50
FIRST_CALL = 10  # messages of a run's first call; each that gets through doubles it, so that an outage meets few
LOOKED_UP_AT_A_TIME = 200  # each asks the provider
LOOKED_UP_FOR = 60.0  # seconds of a run
IDLE_SECONDS = 60.0  # after which the server ends a transaction whose worker was stopped in it, lest all others wait
JUDGED_FOR = 60.0  # seconds; what was not taken by then is judged and rendered again

LEASE_WAS_OVER = Outcome("retry", detail="claiming took so long that the lease was over", cause="not_asked")

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
    exit reason; `settled` counts uncertain actions by what was found. `paused`: channels that are left alone for now,
    with the words of their provider.
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
    channels: Mapping[str, BaseChannel],
    renderer: Renderer,
    settings: Settings,
    clock: Clock,
    limit: int = 1_000,
) -> DeliverySummary:
    """Take up to `limit` actions that are due on `channels` (by kind of message: email, slack, crm, …).

    Before that, notices to operations go out, what is uncertain is looked up where the provider allows it, plays end
    whose exit conditions hold, and what is stale is dropped. Any number of deliveries may run at once. A channel that
    takes nothing is left alone until its pause is over. Raises UserError when the marts are not built.
    """
    summary = DeliverySummary()
    with warehouse.session() as session:
        _end_when_stopped(session)
        delivery = _Delivery(session, channels, renderer, settings, clock, summary)
        delivery.tell_operations()
        delivery.prepare()
        delivery.run(limit)
        summary.completed = PostgresStore(session).complete(clock.now())
    return summary


def deliver_notices(
    warehouse: Warehouse, channels: Mapping[str, BaseChannel], settings: Settings, clock: Clock
) -> DeliverySummary:
    """Take the notices to operations that are due on `channels`; needs no marts, no playbooks and no daemon."""
    summary = DeliverySummary()
    with warehouse.session() as session:
        _end_when_stopped(session)
        _Delivery(session, channels, None, settings, clock, summary).tell_operations()
    return summary


def _end_when_stopped(session: Session) -> None:
    with session.cursor() as cursor:
        cursor.execute("select set_config('idle_in_transaction_session_timeout', %s, false)", [f"{IDLE_SECONDS}s"])
    session.commit()


@dataclass
class _Delivery:
    session: Session
    channels: Mapping[str, BaseChannel]
    renderer: Renderer | None
    settings: Settings
    clock: Clock
    summary: DeliverySummary
    pauses: dict[str, ChannelPause] = field(default_factory=dict)
    most_in_a_call: dict[str, int] = field(default_factory=dict)
    worker: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}")

    def as_of(self) -> AsOf:
        return AsOf(self.settings, self.clock.now())

    def tell_operations(self) -> None:
        """Notices go first, and need nothing but the outbox: what fails behind them is to be told as well."""
        now = self.clock.now()
        self.summary.leases_expired = transitions.expire_leases(self.session, now)
        self.pauses = channel_pauses.read(self.session)
        self.session.commit()
        for action, message in notices.uncertain(self.session, self._open_channels(), self.settings, now):
            self.session.commit()
            self._look_up(action, message)
        notices.cancel_second_ways(self.session)
        written = notices.due(self.session, self._open_channels(), self.settings, now)
        judged_after = transitions.last_attempt(self.session)
        self.session.commit()
        for channel, together in self._calls(written):
            if channel not in self.summary.paused:
                self._take(channel, together, judged_after)
        notices.cancel_second_ways(self.session)
        self.session.commit()

    def prepare(self) -> None:
        """Everything that is decided before anything goes out, each in a transaction of its own."""
        as_of = self.as_of()
        self._settle(as_of)
        self.summary.ended = exits.end_plays(self.session, as_of)
        self.session.commit()
        self.summary.suppressed.update(suppress.drop_stale(self.session, as_of.now))
        self.summary.held = kill_switch.mark_held(self.session, as_of.now)
        self.session.commit()

    def run(self, limit: int) -> None:
        """Judge, render, deliver and record, batch by batch, until nothing is due or `limit` is reached."""
        taken = 0
        seen: set[int] = set()
        while taken < limit:
            as_of = self.as_of()
            batch = due(self.session, self._open_channels(), min(self._at_a_time(), limit - taken), as_of.now)
            if seen.issuperset(batch["action_id"]):
                return
            seen.update(batch["action_id"])
            judged_after = transitions.last_attempt(self.session)
            self.session.commit()
            judged_at = monotonic()
            calls = self._calls(self._written(self._judged(batch, as_of)))
            for position, (channel, together) in enumerate(calls):
                if channel in self.summary.paused:
                    continue
                if position > 0 and monotonic() - judged_at >= JUDGED_FOR:
                    seen.difference_update(action.action_id for action, _ in together)
                else:
                    taken += self._take(channel, together, judged_after)

    def _open_channels(self) -> list[str]:
        now = self.clock.now()
        paused = {name for name, pause in self.pauses.items() if pause.is_on(now)}
        return [name for name in self.channels if name not in paused and name not in self.summary.paused]

    def _at_a_time(self) -> int:
        """A batch is a matter of a minute also where a call takes one message and a second."""
        most = max((self.channels[name].batch_size for name in self._open_channels()), default=1)
        return min(CALLS_AT_A_TIME * most, MOST_AT_A_TIME)

    def _in_a_call(self, name: str) -> int:
        """How many messages the next call of a channel takes: one where its last one got none through."""
        if name in self.pauses:
            return 1
        return min(self.most_in_a_call.get(name, FIRST_CALL), self.channels[name].batch_size)

    def _calls(self, written: list[Written]) -> Iterator[tuple[str, list[Written]]]:
        """The messages of each call of a channel: as many as it takes, in the order they are due, of one batch key."""
        alike: dict[tuple[str, Hashable], list[Written]] = {}
        for action, message in written:
            batch_key = self.channels[action.channel].batch_key(message)
            alike.setdefault((action.channel, batch_key), []).append((action, message))
        for (name, _), together in alike.items():
            start = 0
            while start < len(together):
                most = self._in_a_call(name)
                yield name, together[start : start + most]
                start += most

    def _judged(self, batch: pd.DataFrame, as_of: AsOf) -> list[Job]:
        judgement = judge(self.session, batch, as_of)
        suppress.drop(self.session, "suppressed", judgement.suppressed)
        suppress.drop(self.session, "failed", judgement.failed)
        suppress.postpone(self.session, judgement.postponed)
        self.session.commit()
        self.summary.suppressed.update(judgement.suppressed.values())
        self.summary.failed.update(judgement.failed.values())
        self.summary.postponed.update(wait.reason for wait in judgement.postponed.values())
        return judgement.jobs

    def _written(self, jobs: list[Job]) -> list[Written]:
        """Every message of the batch, before the first goes out; what cannot be written fails with the reason."""
        assert self.renderer is not None
        written: list[Written] = []
        failed: dict[int, str] = {}
        for job in jobs:
            try:
                written.append((job.action, self.renderer.render(job.playbook, job.step, job.facts, job.action)))
            except UserError as error:
                failed[job.action.action_id] = "not_rendered"
                self.summary.problems.append(f"{job.action.playbook}, step {job.action.step}: {error}")
        suppress.drop(self.session, "failed", failed)
        self.summary.failed.update(failed.values())
        self.session.commit()
        return written

    def _take(self, name: str, together: list[Written], judged_after: int) -> int:
        """Claim, deliver, record: one call of a channel. Returns how many actions were still to be had."""
        channel = self.channels[name]
        if together[0][0].enrolment_id is not None:
            together = in_threads(self.session, together)  # now that the message before these is sent
        wanted: dict[int, tuple[PlannedAction, Delivery]] = {
            action.action_id: (action, channel.delivery_to(message.recipient)) for action, message in together
        }
        fence = Fence.begin()
        attempts = transitions.claim(self.session, wanted, self.worker, self.clock.now(), judged_after=judged_after)
        self.session.commit()
        claimed = [(action, message) for action, message in together if action.action_id in attempts]
        if not claimed:
            return 0
        keys = [(action.action_id, attempts[action.action_id]) for action, _ in claimed]
        try:
            if fence.is_over:
                outcomes = [LEASE_WAS_OVER] * len(claimed)
            else:
                with fence.around():
                    outcomes = channel.deliver([message for _, message in claimed])
        except BaseException as error:
            # Whether the provider has them is unknown, also when the run is being stopped.
            words = f"the channel broke off: {type(error).__name__}"
            lost = {key: Outcome("uncertain", detail=words, delivery=wanted[key[0]][1]) for key in keys}
            transitions.record(self.session, lost, self.clock.now())
            self.session.commit()
            raise
        transitions.record(self.session, dict(zip(keys, outcomes, strict=True)), self.clock.now())
        self._note(name, outcomes)
        self.session.commit()
        for outcome in outcomes:
            is_captured = outcome.status == "sent" and outcome.delivery == "capture"
            self.summary.outcomes[name, "captured" if is_captured else outcome.status] += 1
        return len(claimed)

    def _note(self, name: str, outcomes: Sequence[Outcome]) -> None:
        """Keep what a call means for its channel, and tell operations of a pause that begins or ends."""
        now, before = self.clock.now(), self.pauses.pop(name, None)
        after = channel_pauses.after_call(before, name, outcomes, now)
        if after != before:
            channel_pauses.keep(self.session, name, after)
            for notice in notices.of_pause(before, after):
                notices.tell(self.session, notice, self.settings, now)
        if after is None:
            self.most_in_a_call[name] = 2 * min(self.most_in_a_call.get(name, FIRST_CALL), MOST_AT_A_TIME)
            return
        self.pauses[name] = after
        self.most_in_a_call[name] = FIRST_CALL
        if after.is_on(now):
            self.summary.paused[name] = after.detail

    def _settle(self, as_of: AsOf) -> None:
        """Look uncertain actions up where they would go today; elsewhere they are not to be found."""
        assert self.renderer is not None
        rows = uncertain(self.session, self._open_channels(), LOOKED_UP_AT_A_TIME, as_of.now)
        if rows.empty:
            return
        jobs = as_claimed(self.session, rows, as_of)
        self.session.commit()
        until = monotonic() + LOOKED_UP_FOR
        for job in jobs:
            if monotonic() >= until:
                return  # the next delivery goes on
            try:
                message = self.renderer.render(job.playbook, job.step, job.facts, job.action)
            except UserError as error:
                self._settled(job.action, LookupResult("cannot_look", detail=str(error)))
                continue
            ((_, message),) = in_threads(self.session, [(job.action, message)])
            self.session.commit()  # nothing stays open while the provider is asked
            self._look_up(job.action, message)

    def _look_up(self, action: PlannedAction, message: Message) -> None:
        channel = self.channels[action.channel]
        if channel.delivery_to(message.recipient) == action.delivery:
            self._settled(action, channel.find(message))
        else:
            self._settled(action, LookupResult("cannot_look", detail="the delivery mode has changed since"))

    def _settled(self, action: PlannedAction, lookup: LookupResult) -> None:
        if transitions.settle(self.session, action.action_id, action.attempts, lookup, self.clock.now()):
            self.summary.settled[lookup.state] += 1
        self.session.commit()
