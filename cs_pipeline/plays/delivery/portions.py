"""Portion the messages of a batch into calls: those of one channel and envelope together, in the order they are due.

How many a call may take, and when it begins, is decided in `channel_calls`.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from itertools import islice

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.message import Message
from cs_pipeline.plays.outbox.queue import PlannedAction

WRITTEN_AT_A_TIME = 10  # messages, of which each takes about a thousandth of a second

Written = tuple[PlannedAction, Message]


class Portions:
    """What is still to be handed over, by channel; false when that is nothing.

    Messages are written while calls are under way: so many are kept ahead that those of one envelope meet.
    """

    def __init__(self, written: Iterable[Written], channels: Mapping[str, BaseChannel], ahead: int) -> None:
        self._unwritten = iter(written)
        self._channels = channels
        self._ahead = ahead
        self._is_written = False
        self._waiting: dict[str, dict[Hashable, deque[Written]]] = {}
        while self.write_ahead():
            pass

    def __bool__(self) -> bool:
        return bool(self._waiting) or not self._is_written

    def write_ahead(self) -> bool:
        """Write a few more messages; false when enough wait, or none is left to be written."""
        waiting = sum(len(group) for groups in self._waiting.values() for group in groups.values())
        if self._is_written or waiting >= self._ahead:
            return False
        written = list(islice(self._unwritten, WRITTEN_AT_A_TIME))
        for action, message in written:
            groups = self._waiting.setdefault(action.channel, {})
            key = self._channels[action.channel].batch_key(message)
            groups.setdefault(key, deque()).append((action, message))
        self._is_written = len(written) < WRITTEN_AT_A_TIME
        return not self._is_written

    def channels(self) -> list[str]:
        """Those for which something waits."""
        return list(self._waiting)

    def next(self, name: str, most: int) -> list[Written]:
        """The next at most `most` messages of one call of a channel; none when nothing waits."""
        groups = self._waiting.get(name)
        if not groups:
            return []
        key, group = next(iter(groups.items()))
        together = [group.popleft() for _ in range(min(most, len(group)))]
        if not group:
            del groups[key]
        if not groups:
            del self._waiting[name]
        return together

    def drop(self, name: str) -> None:
        """Hand over nothing more of a channel for now."""
        self._waiting.pop(name, None)

    def drop_all(self) -> None:
        """Hand over and write nothing more."""
        self._waiting.clear()
        self._is_written = True
