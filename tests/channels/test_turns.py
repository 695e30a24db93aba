"""Messages to one conversation keep their distance, also where two processes post them; others need not wait."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.message import Message, Outcome
from cs_pipeline.channels.turns import InTurn
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.messages import SLACK

DISTANCE = 0.4


class Posting(BaseChannel):
    """Remembers when what was posted."""

    name = "slack"
    seconds_between = DISTANCE

    def __init__(self) -> None:
        self.moments: dict[str, list[float]] = {}

    def turn_of(self, message: Message) -> str:
        return message.recipient

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        for message in messages:
            self.moments.setdefault(message.recipient, []).append(time.monotonic())
        return [Outcome("sent") for _ in messages]


def post_at_once(*channels: BaseChannel, messages: Sequence[Message]) -> None:
    """Each channel stands for a process: its session is its own."""
    threads = [threading.Thread(target=channel.deliver, args=(messages,)) for channel in channels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_processes_post_to_a_conversation_a_distance_apart_and_to_others_meanwhile(warehouse: Warehouse) -> None:
    posting = Posting()
    first, second = InTurn(posting, warehouse), InTurn(posting, warehouse)
    post_at_once(first, second, messages=[SLACK, SLACK])
    moments = sorted(posting.moments[SLACK.recipient])
    assert len(moments) == 4
    assert all(after - before >= 0.9 * DISTANCE for before, after in pairwise(moments))
    began = time.monotonic()
    first.deliver([replace(SLACK, recipient="#another")])
    assert posting.moments["#another"][0] - began < DISTANCE


def test_without_a_database_messages_go_out_all_the_same() -> None:
    posting = Posting()
    assert InTurn(posting, Warehouse("postgresql://nobody@127.0.0.1:1/nothing")).deliver([SLACK]) == [Outcome("sent")]
