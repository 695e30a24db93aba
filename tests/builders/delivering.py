"""What tests of delivery share: accounts in a play, a plain renderer, a channel that does as told, one delivery."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.message import Delivery, LookupResult, Message, Outcome
from cs_pipeline.channels.routing import channels_for
from cs_pipeline.clock import Clock
from cs_pipeline.plays.delivery.dispatcher import deliver_due
from cs_pipeline.plays.delivery.summary import DeliverySummary
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.outbox.queue import PlannedAction
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY, Company, save_play

ONE_MAIL = {"step": "guide", "day": 0, "channel": "email", "to": "champion", "template": "t", "intent": "educate"}


def one_mail_play(**step: object) -> Playbook:
    return save_play(steps=[ONE_MAIL | step])


def enrolled(company: Company, settings: Settings, play: Playbook | None = None, count: int = 1) -> list[str]:
    """`count` accounts a0, a1, … in `play`."""
    accounts = company.accounts(count)
    enrol(company.warehouse, play or save_play(), [company.fall(account) for account in accounts], settings, MONDAY)
    return accounts


def states(company: Company) -> Counter[tuple[object, ...]]:
    return Counter(company.run("select status, reason from cs.actions where notice_id is null"))


class PlainRenderer:
    """Messages without templates, that show two facts."""

    def render(self, playbook: Playbook, step: Step, facts: Mapping[str, object], action: PlannedAction) -> Message:
        return Message(
            action_key=action.action_key,
            channel=action.channel,
            recipient=action.recipient or "",
            subject=f"{step.step} for {facts['account_name']}",
            body_text=f"Dear {facts['recipient_name']}",
            body_html=None,
            payload={"blocks": []} if action.channel == "slack" else {},
            account_id=action.account_id,
            playbook=action.playbook,
            step=action.step,
            due_on=action.due_at.date(),
            category=playbook.family,
        )


@dataclass
class ToldChannel(BaseChannel):
    """Answers as told and remembers what it accepted."""

    answer: Callable[[Message], Outcome] = lambda _: Outcome("sent", provider_id="p1")
    found: LookupResult = field(default_factory=lambda: LookupResult("cannot_look"))
    delivered: list[str] = field(default_factory=list)
    goes: Delivery = "live"
    name: str = "told"
    batch_size: int = 1

    def delivery_to(self, recipient: str) -> Delivery:
        return self.goes

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        outcomes = [self.answer(message) for message in messages]
        for message, outcome in zip(messages, outcomes, strict=True):
            if outcome.status in ("sent", "uncertain"):
                self.delivered.append(message.action_key)
        return outcomes

    def find(self, message: Message) -> LookupResult:
        return self.found


def deliver(
    warehouse: Warehouse,
    settings: Settings,
    clock: Clock,
    channels: Mapping[str, BaseChannel] | None = None,
    limit: int = 1_000,
) -> DeliverySummary:
    """Deliver what is due through the channels of `settings`, or those given."""
    channels = channels or channels_for(settings, warehouse, clock)
    return deliver_due(warehouse, channels, PlainRenderer(), settings, clock, limit=limit)


def all_by(channel: BaseChannel) -> dict[str, BaseChannel]:
    """Every kind of message through one channel."""
    return {"email": channel, "slack": channel, "crm": channel}
