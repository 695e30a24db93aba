"""A delivery in a process of its own that kills itself at a given point, as a machine that loses power would.

Usage: python -m tests.plays.delivery.worker DATABASE_URL PROVIDER_URL HOME POINT; POINT is one of POINTS.
"""

import os
import signal
import sys
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

from pydantic import SecretStr

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.message import Delivery, LookupResult, Message, Outcome
from cs_pipeline.channels.routing import channels_for
from cs_pipeline.clock import Clock
from cs_pipeline.plays.delivery.dispatcher import deliver_due
from cs_pipeline.plays.outbox.queue import PlannedAction
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY
from tests.builders.delivering import PlainRenderer, all_by

POINTS = ("never", "before claiming", "after claiming", "after acceptance")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class MortalRenderer(PlainRenderer):
    """Renders; dies at its second message when that is the point."""

    def __init__(self, point: str) -> None:
        self.point, self.rendered = point, 0

    def render(self, playbook: Playbook, step: Step, facts: Mapping[str, object], action: PlannedAction) -> Message:
        self.rendered += 1
        if self.point == "before claiming" and self.rendered == 2:
            die()
        return super().render(playbook, step, facts, action)


class MortalChannel(BaseChannel):
    """SendGrid's channel, in a process that dies around its second call when that is the point."""

    name = "mortal"
    batch_size = 1

    def __init__(self, channel: BaseChannel, point: str) -> None:
        self.channel, self.point, self.calls = channel, point, 0

    def delivery_to(self, recipient: str) -> Delivery:
        return self.channel.delivery_to(recipient)

    def batch_key(self, message: Message) -> Hashable:
        return self.channel.batch_key(message)

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        self.calls += 1
        if self.point == "after claiming" and self.calls == 2:
            die()
        outcomes = self.channel.deliver(messages)
        if self.point == "after acceptance" and self.calls == 2:
            die()
        return outcomes

    def find(self, message: Message) -> LookupResult:
        return self.channel.find(message)


def live_settings(home: Path, provider_url: str) -> Settings:
    """Everything goes to the provider."""
    return Settings(
        home=home,
        delivery="live",
        sendgrid_api_key=SecretStr("SG.secret"),
        sendgrid_host=provider_url,
        slack_bot_token=SecretStr("xoxb-secret"),
    )


def main(url: str, provider_url: str, home: str, point: str) -> None:
    settings = live_settings(Path(home), provider_url)
    warehouse, clock = Warehouse(url), Clock(MONDAY)
    channel = MortalChannel(channels_for(settings, warehouse, clock)["email"], point)
    deliver_due(warehouse, all_by(channel), MortalRenderer(point), settings, clock)


if __name__ == "__main__":
    main(*sys.argv[1:])
