"""Keep the distance between messages that a provider asks for, whichever of our processes post them.

Who posts holds an advisory lock of the conversation for so long, and the next one, here or on another machine, waits. A
process that dies gives its locks back with its session. Where the database cannot be asked, a channel still keeps its
own distance, and what a provider has too much of it refuses, which `plays.outbox.channel_pauses` waits for.
"""

import threading
import time
from collections.abc import Hashable, Sequence

import psycopg2
from psycopg2.extensions import connection as Session

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.fence import seconds_left
from cs_pipeline.channels.message import Delivery, LookupResult, Message, Outcome
from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse

ASKED_EVERY = 0.02  # seconds


class InTurn(BaseChannel):
    """A channel that posts one message after another, a distance apart."""

    def __init__(self, channel: BaseChannel, warehouse: Warehouse) -> None:
        self.name = channel.name
        self.batch_size, self.calls_at_a_time = channel.batch_size, channel.calls_at_a_time
        self.seconds_between = channel.seconds_between
        self._channel = channel
        self._warehouse = warehouse
        self._session: Session | None = None
        self._held: set[str] = set()
        self._one_at_a_time = threading.Lock()

    def batch_key(self, message: Message) -> Hashable:
        """That of the channel."""
        return self._channel.batch_key(message)

    def delivery_to(self, recipient: str) -> Delivery:
        """That of the channel."""
        return self._channel.delivery_to(recipient)

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Post each message when it is its turn."""
        outcomes: list[Outcome] = []
        for message in messages:
            turn = f"{self.name} {self._channel.turn_of(message)}"
            is_held = self._take(turn)
            try:
                outcomes += self._channel.deliver([message])
            finally:
                if is_held:
                    timer = threading.Timer(self.seconds_between, self._give_back, [turn])
                    timer.daemon = True
                    timer.start()
        return outcomes

    def find(self, message: Message) -> LookupResult:
        """Look for it in the channel."""
        return self._channel.find(message)

    def _take(self, turn: str) -> bool:
        """Wait for the turn; false when nobody can be asked for it, or the call may not send any more (`fence`)."""
        try:
            # A session is given a lock again that it holds already.
            while turn in self._held or not self._ask("select pg_try_advisory_lock({})", turn):
                if (left := seconds_left()) is not None and left <= 0:
                    return False
                time.sleep(ASKED_EVERY)
        except (psycopg2.Error, UserError):
            self._lose_all()
            return False
        self._held.add(turn)
        return True

    def _give_back(self, turn: str) -> None:
        if turn not in self._held:
            return
        try:
            self._ask("select pg_advisory_unlock({})", turn)
        except (psycopg2.Error, UserError):
            self._lose_all()
        self._held.discard(turn)

    def _lose_all(self) -> None:
        """The locks went with their session."""
        self._session = None
        self._held.clear()

    def _ask(self, sql: str, turn: str) -> bool:
        with self._one_at_a_time:
            if self._session is None or self._session.closed:
                self._session = self._warehouse.connect()
                self._session.autocommit = True
            with self._session.cursor() as cursor:
                cursor.execute(sql.format("hashtext('cs.turns'), hashtext(%s)"), [turn])
                return cursor.fetchone() == (True,)
