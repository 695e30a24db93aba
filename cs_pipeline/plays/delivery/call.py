"""Make one call of a channel, between its claim and what is recorded of it; it is all that a thread does.

When it begins, and what is claimed for it, is decided in `channel_calls`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.fence import Fence
from cs_pipeline.channels.message import Delivery, Outcome
from cs_pipeline.plays.delivery.portions import Written

LEASE_WAS_OVER = Outcome("retry", detail="claiming took so long that the lease was over", cause="not_asked")


@dataclass(frozen=True)
class Call:
    """One call of a channel, whose actions are claimed. `pauses_seen`: how often the channel's pause had changed."""

    name: str
    claimed: Sequence[Written]
    attempts: Mapping[int, int]
    deliveries: Mapping[int, Delivery]
    fence: Fence
    pauses_seen: int

    def make(self, channel: BaseChannel) -> list[Outcome]:
        """Deliver, unless the lease is over by now."""
        if self.fence.is_over:
            return [LEASE_WAS_OVER] * len(self.claimed)
        with self.fence.around():
            return channel.deliver([message for _, message in self.claimed])

    def broke_off(self, error: BaseException) -> list[Outcome]:
        """Whether the provider has them is unknown, also when the run is being stopped."""
        words = f"the channel broke off: {type(error).__name__}"
        return [
            Outcome("uncertain", detail=words, delivery=self.deliveries[action.action_id]) for action, _ in self.claimed
        ]


def by_attempt(found: Iterable[tuple[Call, Sequence[Outcome]]]) -> dict[tuple[int, int], Outcome]:
    """Outcomes of calls, in the order of their messages, by action id and attempt."""
    return {
        (action.action_id, call.attempts[action.action_id]): outcome
        for call, outcomes in found
        for (action, _), outcome in zip(call.claimed, outcomes, strict=True)
    }
