"""Call channels: claim, deliver, record. The only place from which anything leaves.

Each call of a channel lies between two commits: the claim before it, what came of it after. A worker that dies in
between leaves claims whose lease runs out, so their actions end `uncertain`, and nothing is ever sent on a guess. One
that was stopped meanwhile cannot send any more: `channels.fence` is around each call.

A channel's calls are made in threads, as many at once as it bears; the thread that owns the session claims before and
records after. Which actions may go out is decided before, in `eligibility`; in which portions, in `portions`.
"""

import os
import socket
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from time import monotonic

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.fence import MOST_AT_ONCE, Fence
from cs_pipeline.channels.message import Delivery, Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.plays.delivery.call import Call, by_attempt
from cs_pipeline.plays.delivery.portions import Portions, Written
from cs_pipeline.plays.delivery.slack_threads import in_threads
from cs_pipeline.plays.delivery.summary import DeliverySummary
from cs_pipeline.plays.outbox import channel_pauses, operations, pause_notices
from cs_pipeline.plays.outbox.channel_pauses import ChannelPause
from cs_pipeline.plays.outbox.claim import claim
from cs_pipeline.plays.outbox.queue import PlannedAction
from cs_pipeline.plays.outbox.record import record
from cs_pipeline.settings import Settings

MOST_AT_A_TIME = 5_000  # actions judged together; no call is made meanwhile
CALLS_JUDGED_TOGETHER = 50
FIRST_CALLS = 10  # messages of a run's first calls; each call that gets through doubles it, so that an outage meets few


@dataclass
class Taken:
    """What became of messages that were to be taken: how many actions were still to be had, for which a call was begun
    (action ids), and which of these are done with."""

    actions: int = 0
    begun: set[int] = field(default_factory=set)
    settled: set[int] = field(default_factory=set)


UnderWay = dict[Future[list[Outcome]], Call]


def _widest(channel: BaseChannel) -> int:
    """How many messages of a channel may be claimed at once."""
    return max(channel.batch_size, channel.calls_at_a_time)


def _claimed_at_a_time(channel: BaseChannel) -> int:
    """Calls that may be claimed: where many are made at once, the next wait already when one of them ends."""
    return 2 * channel.calls_at_a_time if channel.calls_at_a_time > 1 else 1


def _enough(channel: BaseChannel) -> int:
    """Calls under way with which a channel's threads are busy while others are recorded and claimed."""
    return channel.calls_at_a_time if channel.calls_at_a_time > 1 else 0


def _threads(channel: BaseChannel) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(channel.calls_at_a_time, thread_name_prefix=channel.name)


@dataclass
class ChannelCalls:
    """The channels of one delivery, what is known of their pauses, and how much each takes at a time."""

    session: Session
    channels: Mapping[str, BaseChannel]
    settings: Settings
    clock: Clock
    summary: DeliverySummary
    pauses: dict[str, ChannelPause] = field(default_factory=dict)
    most_under_way: dict[str, int] = field(default_factory=dict)
    pauses_changed: dict[str, int] = field(default_factory=dict)
    worker: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}")

    def read_pauses(self) -> None:
        """Learn which channels others found to take nothing."""
        self.pauses = channel_pauses.read(self.session)

    def open_channels(self) -> list[str]:
        """Channels that are not paused now."""
        now = self.clock.now()
        paused = {name for name, pause in self.pauses.items() if pause.is_on(now)}
        return [name for name in self.channels if name not in paused and name not in self.summary.paused]

    def at_a_time(self) -> int:
        """How many actions to judge together: a minute's worth, also where a call takes one message and a second."""
        return min(CALLS_JUDGED_TOGETHER * self._most_ahead(), MOST_AT_A_TIME)

    def take(self, written: Iterable[Written], judged_after: int, until: float | None = None) -> Taken:
        """Claim, deliver and record, as many calls at once as each channel bears; `written` is read meanwhile.

        From `until` (of the monotonic clock) on none begins but the first. Channels that pause meanwhile are left.
        """
        portions = Portions(written, self.channels, self._most_ahead())
        under_way: UnderWay = {}
        taken = Taken()
        with ExitStack() as stack:
            threads = {name: stack.enter_context(_threads(channel)) for name, channel in self.channels.items()}
            try:
                while portions or under_way:
                    if until is not None and taken.begun and monotonic() >= until:
                        portions.drop_all()
                    chosen = self._choose(portions, under_way.values())
                    taken.begun.update(action.action_id for _, together in chosen for action, _ in together)
                    for call in self._begin(chosen, judged_after):
                        under_way[threads[call.name].submit(call.make, self.channels[call.name])] = call
                        taken.actions += len(call.claimed)
                    is_writing = portions.write_ahead()
                    if ended := self._ended(under_way, is_waiting=not is_writing):
                        taken.settled.update(self._end({future: under_way.pop(future) for future in ended}))
            except BaseException as error:
                self._break_off(under_way, error)
                raise
        return taken

    def _choose(self, portions: Portions, under_way: Iterable[Call]) -> list[tuple[str, list[Written]]]:
        """The messages of every call that can begin now."""
        chosen: list[tuple[str, list[Written]]] = []
        calls = [(call.name, len(call.claimed)) for call in under_way]
        free = MOST_AT_ONCE - len(calls)
        for name in portions.channels():
            if name in self.summary.paused:
                portions.drop(name)
                continue
            sizes = [size for called, size in calls if called == name]
            while len(chosen) < free and (most := self._room(name, sizes)) and (together := portions.next(name, most)):
                chosen.append((name, together))
                sizes.append(len(together))
        return chosen

    def _room(self, name: str, under_way: Sequence[int]) -> int:
        """How many messages the next call of a channel may take while calls of those sizes are under way.

        One where its last call got none through; as many as a call takes once it works.
        """
        channel = self.channels[name]
        if len(under_way) >= _claimed_at_a_time(channel) or (name in self.pauses and under_way):
            return 0
        most = min(1 if name in self.pauses else self.most_under_way.get(name, FIRST_CALLS), _widest(channel))
        return max(0, min(most - sum(under_way), channel.batch_size))

    def _ended(self, under_way: UnderWay, *, is_waiting: bool) -> set[Future[list[Outcome]]]:
        """Calls that have ended, once a channel has threads to spare: so that few transactions serve many calls."""
        while under_way:
            ended = {future for future in under_way if future.done()}
            left = Counter(call.name for future, call in under_way.items() if future not in ended)
            if ended and any(left[call.name] <= _enough(self.channels[call.name]) for call in under_way.values()):
                return ended
            if not is_waiting:
                return set()
            wait(under_way.keys() - ended, return_when=FIRST_COMPLETED)
        return set()

    def _most_ahead(self) -> int:
        return max((_widest(self.channels[name]) for name in self.open_channels()), default=1)

    def _begin(self, chosen: list[tuple[str, list[Written]]], judged_after: int) -> list[Call]:
        """Claim what is chosen; calls of which another worker was faster in everything are none."""
        if not chosen:
            return []
        # Now that the message before these is sent.
        chosen = [(name, in_threads(self.session, together)) for name, together in chosen]
        wanted: dict[int, tuple[PlannedAction, Delivery]] = {
            action.action_id: (action, self.channels[name].delivery_to(message.recipient))
            for name, together in chosen
            for action, message in together
        }
        fence = Fence.begin()
        attempts = claim(self.session, wanted, self.worker, self.clock.now(), judged_after=judged_after)
        self.session.commit()
        deliveries: dict[int, Delivery] = {action_id: delivery for action_id, (_, delivery) in wanted.items()}
        calls = [
            Call(
                name,
                [(action, message) for action, message in together if action.action_id in attempts],
                attempts,
                deliveries,
                fence,
                self.pauses_changed.get(name, 0),
            )
            for name, together in chosen
        ]
        return [call for call in calls if call.claimed]

    def _end(self, ended: Mapping[Future[list[Outcome]], Call]) -> set[int]:
        """Record what came of calls; returns the actions that are done with. Raises what a channel has raised."""
        errors = {future: future.exception() for future in ended}
        answered = [(call, future.result()) for future, call in ended.items() if errors[future] is None]
        broken = [(call, call.broke_off(error)) for future, call in ended.items() if (error := errors[future])]
        record(self.session, by_attempt([*answered, *broken]), self.clock.now())
        for call, outcomes in answered:
            self._note(call, outcomes)
        self.session.commit()
        for call, outcomes in answered:
            self._count(call.name, outcomes)
        for error in errors.values():
            if error is not None:
                raise error
        return {
            action.action_id
            for call, outcomes in answered
            for (action, _), outcome in zip(call.claimed, outcomes, strict=True)
            if outcome.status != "retry"
        }

    def _break_off(self, under_way: UnderWay, error: BaseException) -> None:
        """Wait for the answers to what has left already, which the fence bounds: they are better than not to know."""
        self.session.rollback()
        ended = wait(under_way).done
        if ended:
            with suppress(type(error)):
                self._end({future: under_way.pop(future) for future in ended})

    def _count(self, name: str, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            is_captured = outcome.status == "sent" and outcome.delivery == "capture"
            self.summary.outcomes[name, "captured" if is_captured else outcome.status] += 1

    def _note(self, call: Call, outcomes: Sequence[Outcome]) -> None:
        """Keep what a call means for its channel, and notify operations of a pause that begins or ends."""
        name, now, before = call.name, self.clock.now(), self.pauses.pop(call.name, None)
        is_late = call.pauses_seen != self.pauses_changed.get(name, 0)
        after = channel_pauses.after_call(before, name, outcomes, now, is_late=is_late)
        if after != before:
            self.pauses_changed[name] = self.pauses_changed.get(name, 0) + 1
            channel_pauses.keep(self.session, name, after)
            for notice in pause_notices.of_pause(before, after):
                operations.notify(self.session, notice, self.settings, now)
        if after is None:
            self.most_under_way[name] = 2 * min(self.most_under_way.get(name, FIRST_CALLS), MOST_AT_A_TIME)
            return
        self.pauses[name] = after
        self.most_under_way[name] = FIRST_CALLS
        if after.is_on(now):
            self.summary.paused[name] = after.detail
