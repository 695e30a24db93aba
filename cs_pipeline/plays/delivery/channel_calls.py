"""Call channels: claim, deliver, record. The only place from which anything leaves.

Each call of a channel lies between two commits: the claim before it, what came of it after. A worker that dies in
between leaves claims whose lease runs out, so their actions end `uncertain`, and nothing is ever sent on a guess. One
that was stopped meanwhile cannot send any more: `channels.fence` is around each call. Which actions may go out is
decided before, in `eligibility`.
"""

import os
import socket
import uuid
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.fence import Fence
from cs_pipeline.channels.message import Delivery, Message, Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.plays.delivery.slack_threads import in_threads
from cs_pipeline.plays.delivery.summary import DeliverySummary
from cs_pipeline.plays.outbox import channel_pauses, operations, pause_notices
from cs_pipeline.plays.outbox.channel_pauses import ChannelPause
from cs_pipeline.plays.outbox.claim import claim
from cs_pipeline.plays.outbox.queue import PlannedAction
from cs_pipeline.plays.outbox.record import record
from cs_pipeline.settings import Settings

MOST_AT_A_TIME = 1_000  # actions judged and rendered together: as many as a call of a provider takes
CALLS_AT_A_TIME = 50
FIRST_CALL = 10  # messages of a run's first call; each that gets through doubles it, so that an outage meets few

LEASE_WAS_OVER = Outcome("retry", detail="claiming took so long that the lease was over", cause="not_asked")

Written = tuple[PlannedAction, Message]


@dataclass
class ChannelCalls:
    """The channels of one delivery, what is known of their pauses, and how much each takes in its next call."""

    session: Session
    channels: Mapping[str, BaseChannel]
    settings: Settings
    clock: Clock
    summary: DeliverySummary
    pauses: dict[str, ChannelPause] = field(default_factory=dict)
    most_in_a_call: dict[str, int] = field(default_factory=dict)
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
        most = max((self.channels[name].batch_size for name in self.open_channels()), default=1)
        return min(CALLS_AT_A_TIME * most, MOST_AT_A_TIME)

    def batches(self, written: list[Written]) -> Iterator[tuple[str, list[Written]]]:
        """The messages of each call of a channel: as many as it takes, in the order they are due, of one batch key."""
        alike: dict[tuple[str, Hashable], list[Written]] = {}
        for action, message in written:
            batch_key = self.channels[action.channel].batch_key(message)
            alike.setdefault((action.channel, batch_key), []).append((action, message))
        for (name, _), together in alike.items():
            start = 0
            while start < len(together):
                most = self._next_batch_size(name)
                yield name, together[start : start + most]
                start += most

    def take(self, name: str, together: list[Written], judged_after: int) -> int:
        """Claim, deliver, record: one call of a channel. Returns how many actions were still to be had."""
        channel = self.channels[name]
        together = in_threads(self.session, together)  # now that the message before these is sent
        wanted: dict[int, tuple[PlannedAction, Delivery]] = {
            action.action_id: (action, channel.delivery_to(message.recipient)) for action, message in together
        }
        fence = Fence.begin()
        attempts = claim(self.session, wanted, self.worker, self.clock.now(), judged_after=judged_after)
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
            record(self.session, lost, self.clock.now())
            self.session.commit()
            raise
        record(self.session, dict(zip(keys, outcomes, strict=True)), self.clock.now())
        self._note(name, outcomes)
        self.session.commit()
        for outcome in outcomes:
            is_captured = outcome.status == "sent" and outcome.delivery == "capture"
            self.summary.outcomes[name, "captured" if is_captured else outcome.status] += 1
        return len(claimed)

    def _next_batch_size(self, name: str) -> int:
        """How many messages the next call of a channel takes: one where its last one got none through."""
        if name in self.pauses:
            return 1
        return min(self.most_in_a_call.get(name, FIRST_CALL), self.channels[name].batch_size)

    def _note(self, name: str, outcomes: Sequence[Outcome]) -> None:
        """Keep what a call means for its channel, and notify operations of a pause that begins or ends."""
        now, before = self.clock.now(), self.pauses.pop(name, None)
        after = channel_pauses.after_call(before, name, outcomes, now)
        if after != before:
            channel_pauses.keep(self.session, name, after)
            for notice in pause_notices.of_pause(before, after):
                operations.notify(self.session, notice, self.settings, now)
        if after is None:
            self.most_in_a_call[name] = 2 * min(self.most_in_a_call.get(name, FIRST_CALL), MOST_AT_A_TIME)
            return
        self.pauses[name] = after
        self.most_in_a_call[name] = FIRST_CALL
        if after.is_on(now):
            self.summary.paused[name] = after.detail
