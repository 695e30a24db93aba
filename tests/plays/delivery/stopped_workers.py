"""Workers that are stopped in the middle of a delivery for longer than their lease, each at another instruction.

Usage: python -m tests.plays.delivery.stopped_workers DATABASE_URL PROVIDER_URL HOME WORKERS.
Prints how many were stopped, and how many of them the kernel ended, once others have
taken over what they held and they were let go on.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from pydantic import SecretStr

from cs_pipeline.channels import fence
from cs_pipeline.channels.slack import SlackChannel
from cs_pipeline.clock import Clock
from cs_pipeline.plays.delivery import dispatcher
from cs_pipeline.plays.outbox.queue import LOOK_AFTER
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY
from tests.builders.delivering import PlainRenderer
from tests.plays.delivery.worker import live_settings

SENDS_FOR, LIVES_FOR, IDLE_SECONDS = 2.0, 3.0, 1.0
BY_LINE = (
    "plays/delivery/channel_calls.py",
    "plays/delivery/dispatcher.py",
    "plays/outbox/claim.py",
    "plays/outbox/record.py",
    "channels/slack.py",
    "channels/slack_client.py",
    "channels/slack_conversations.py",
    "channels/http.py",
    "http/client.py",
)
BY_INSTRUCTION = ("channels/exchange.py", "channels/fence.py")
BEGINS = "ChannelCalls.take"


class Stopper:
    """Counts the instructions of a delivery from its claim on, and stops the process at one of them."""

    def __init__(self, at: int | None) -> None:
        self.at, self.count, self.has_begun = at, 0, False

    def __call__(self, frame: FrameType, event: str, argument: Any) -> "Callable[..., Any] | None":
        name = frame.f_code.co_filename
        if frame.f_code.co_qualname == BEGINS:
            self.has_begun = True
        if not self.has_begun or not name.endswith((*BY_LINE, *BY_INSTRUCTION)):
            return None
        frame.f_trace_opcodes = name.endswith(BY_INSTRUCTION)
        return self.step

    def step(self, frame: FrameType, event: str, argument: Any) -> "Callable[..., Any]":
        if event in ("line", "opcode"):
            self.count += 1
            if self.count == self.at:
                sys.settrace(None)
                os.kill(os.getpid(), signal.SIGSTOP)
        return self.step


def deliver(url: str, provider_url: str, home: str, minutes: float, limit: int, stopper: Stopper | None = None) -> None:
    settings, clock = live_settings(Path(home), provider_url), Clock(MONDAY + timedelta(minutes=minutes))
    slack = SlackChannel(SecretStr("xoxb-secret"), base_url=provider_url + "/api/", seconds_between=0)
    sys.settrace(stopper)
    threading.settrace(stopper)  # pyright: ignore[reportArgumentType] - None ends it; calls are made in threads
    try:
        dispatcher.deliver_due(Warehouse(url), {"slack": slack}, PlainRenderer(), settings, clock, limit=limit)
    finally:
        sys.settrace(None)
        threading.settrace(None)  # pyright: ignore[reportArgumentType]


def start(arguments: tuple[str, str, str], at: int) -> int:
    """A worker's process id, once it is stopped or has ended."""
    worker = os.fork()
    if worker == 0:
        try:
            deliver(*arguments, minutes=0, limit=1, stopper=Stopper(at))
        finally:
            os._exit(0)
    os.waitid(os.P_PID, worker, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    return worker


def main(url: str, provider_url: str, home: str, count: str) -> None:
    fence.SENDS_FOR, fence.LIVES_FOR = SENDS_FOR, LIVES_FOR
    dispatcher.IDLE_SECONDS = IDLE_SECONDS
    arguments = (url, provider_url, home)
    whole = Stopper(None)
    deliver(*arguments, minutes=0, limit=1, stopper=whole)
    workers = [start(arguments, 1 + number * whole.count // int(count)) for number in range(int(count))]
    time.sleep(LIVES_FOR + 0.5)
    after = LOOK_AFTER.total_seconds() / 60
    for minutes in (after, after + 10):
        deliver(*arguments, minutes=minutes, limit=1_000)
    ended = 0
    for worker in workers:
        os.kill(worker, signal.SIGCONT)
    for worker in workers:
        ended += os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == -signal.SIGKILL
    for minutes in (after + 20, after + 40):
        deliver(*arguments, minutes=minutes, limit=1_000)
    sys.stdout.write(f"{len(workers)} {ended}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
