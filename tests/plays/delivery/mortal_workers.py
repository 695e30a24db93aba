"""Workers that are killed at random: each a process of its own, forked from one that has everything loaded already.

Usage: python -m tests.plays.delivery.mortal_workers DATABASE_URL PROVIDER_URL HOME KILLS SEED.
Two live at once; the moment of every two lies minutes after that of those before.
Prints how many were killed before their work was done.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Hashable, Sequence
from datetime import timedelta
from pathlib import Path

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.message import Delivery, LookupResult, Message, Outcome
from cs_pipeline.channels.routing import channels_for
from cs_pipeline.clock import Clock
from cs_pipeline.history.slices import Slice, slices_of
from cs_pipeline.plays.delivery.dispatcher import deliver_due
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY
from tests.builders.delivering import PlainRenderer, all_by
from tests.plays.delivery.worker import live_settings

MESSAGES = 6
AT_ONCE = 2
SIZES = ((1, 1), (1, 4), (2, 1), (4, 2))  # messages a call, calls at a time
LIFE = 0.3  # seconds that a worker has at most, at first
SHORTER, LONGER = 0.85, 1.05  # after one that came to its end, after one that was killed: so most are killed at work


class InBatches(BaseChannel):
    """SendGrid's channel, that takes a few messages and calls at a time, so that a kill meets every boundary."""

    name = "in batches"

    def __init__(self, channel: BaseChannel, batch_size: int, calls_at_a_time: int = 1) -> None:
        self.channel, self.batch_size, self.calls_at_a_time = channel, batch_size, calls_at_a_time

    def delivery_to(self, recipient: str) -> Delivery:
        return self.channel.delivery_to(recipient)

    def batch_key(self, message: Message) -> Hashable:
        return self.channel.batch_key(message)

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        return self.channel.deliver(messages)

    def find(self, message: Message) -> LookupResult:
        return self.channel.find(message)


def live(
    url: str, provider_url: str, home: str, number: int, batch_size: int, calls_at_a_time: int, part: Slice | None
) -> None:
    """A worker's life; it takes a slice of the accounts, or all of them."""
    settings, clock = live_settings(Path(home), provider_url), Clock(MONDAY + timedelta(minutes=number))
    warehouse = Warehouse(url)
    channel = InBatches(channels_for(settings, warehouse, clock)["email"], batch_size, calls_at_a_time)
    deliver_due(warehouse, all_by(channel), PlainRenderer(), settings, clock, limit=MESSAGES, part=part)


def main(url: str, provider_url: str, home: str, kills: str, seed: str) -> None:
    chance = random.Random(int(seed))
    killed, life = 0, LIFE
    live(url, provider_url, home, 0, 1, 1, None)  # what is loaded once is loaded before the others are forked
    for number in range(0, int(kills), AT_ONCE):
        # Two slices, two that take whatever is due, or one of each.
        parts = [chance.choice([part, None]) for part in slices_of(AT_ONCE)]
        workers = [fork(url, provider_url, home, number, *chance.choice(SIZES), part) for part in parts]
        for worker in workers:
            time.sleep(life / AT_ONCE * chance.uniform(0.4, 1.0))
            os.kill(worker, signal.SIGKILL)
            was_killed = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == -signal.SIGKILL
            killed += was_killed
            life *= LONGER if was_killed else SHORTER
    sys.stdout.write(f"{killed}\n")


def fork(
    url: str, provider_url: str, home: str, number: int, batch_size: int, calls_at_a_time: int, part: Slice | None
) -> int:
    """A worker's process id."""
    worker = os.fork()
    if worker == 0:
        try:
            live(url, provider_url, home, number, batch_size, calls_at_a_time, part)
        finally:
            os._exit(0)
    return worker


if __name__ == "__main__":
    main(*sys.argv[1:])
