"""Choose the channel that carries each kind of message, by the delivery mode.

`capture`: nothing leaves the machine. `allowlist`: only recipients on the list are reached, everything else is
captured. `live`: everybody. The CRM table is on the machine in every mode; what goes into it is shown among the
captures whenever captures are kept. Text messages go over the webhook, or by e-mail where none is set.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

from cs_pipeline.addresses import domain_of, same_spelling
from cs_pipeline.channels import registry
from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.capture import CaptureChannel
from cs_pipeline.channels.crm import CrmTableChannel
from cs_pipeline.channels.crm_api import ConnectedCrm
from cs_pipeline.channels.fallback import Fallback
from cs_pipeline.channels.message import Delivery, LookupResult, Message, Outcome
from cs_pipeline.channels.registry import KINDS, ChannelKind, carrier_of
from cs_pipeline.channels.turns import InTurn
from cs_pipeline.clock import Clock
from cs_pipeline.settings import PREFIX, Settings
from cs_pipeline.warehouse.connection import Warehouse


def channels_for(settings: Settings, warehouse: Warehouse, clock: Clock | None = None) -> Mapping[str, BaseChannel]:
    """The channel of each kind of message, by its name in KINDS.

    Raises UserError when messages shall leave the machine and a key is missing: now, not at the first message.
    """
    clock = clock if clock is not None else Clock(settings.now)
    table = CrmTableChannel(warehouse, clock)
    if settings.delivery == "live" and not settings.sendgrid_sandbox:
        return _outside(settings, warehouse, table, clock)
    capture = CaptureChannel(settings, warehouse, clock)
    captured = {name: _captured(kind, settings, table, capture) for name, kind in KINDS.items()}
    if settings.delivery == "capture":
        return captured
    outside = _outside(settings, warehouse, table, clock, mail_log=capture if settings.sendgrid_sandbox else None)
    if settings.delivery == "live":
        return outside
    return {
        name: captured[name] if channel is table else Allowlisted(channel, captured[name], settings.allowlist)
        for name, channel in outside.items()
    }


def connected_crm(settings: Settings) -> ConnectedCrm | None:
    """The CRM whose tasks can be read back; None where none is connected, or nothing leaves the machine."""
    return None if settings.delivery == "capture" else registry.crm(settings)


def _captured(kind: ChannelKind, settings: Settings, table: CrmTableChannel, capture: CaptureChannel) -> BaseChannel:
    if kind.name == table.name:
        return Tee(table, capture)
    is_carried = kind.instead is not None and carrier_of(kind.name, settings) is not kind
    return Fallback(capture, kind.instead) if kind.instead is not None and is_carried else capture


def _outside(
    settings: Settings,
    warehouse: Warehouse,
    table: CrmTableChannel,
    clock: Clock,
    mail_log: CaptureChannel | None = None,
) -> dict[str, BaseChannel]:
    """Every kind of message on its way to its reader. `mail_log` records mail that SendGrid only checks."""
    channels: dict[str, BaseChannel] = {}
    for name, kind in KINDS.items():
        if carrier_of(name, settings) is kind:
            channel = kind.build(settings, clock) or (table if name == table.name else NotConnected(kind))
            channels[name] = InTurn(channel, warehouse) if channel.seconds_between else channel
    if mail_log is not None:
        channels["email"] = Tee(channels["email"], mail_log)
    carried = {
        name: Fallback(channels[kind.instead.kind], kind.instead)
        for name, kind in KINDS.items()
        if name not in channels and kind.instead is not None
    }
    return channels | carried


class NotConnected(BaseChannel):
    """Stands where a kind of message has no adapter: its actions wait, and operations hear why."""

    def __init__(self, kind: ChannelKind) -> None:
        self.name = kind.name
        self._words = f"{PREFIX}{(kind.connected_by or kind.name).upper()} is not set"

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Refuse as a provider does that takes nothing from us: the channel pauses, nothing is lost."""
        return [Outcome("retry", detail=self._words, cause="channel") for _ in messages]


class Allowlisted(BaseChannel):
    """Delivers to recipients on the list; captures what is meant for anybody else."""

    def __init__(self, live: BaseChannel, capture: BaseChannel, allowlist: tuple[str, ...]) -> None:
        self.name = live.name
        self.batch_size, self.calls_at_a_time = live.batch_size, live.calls_at_a_time
        self._live = live
        self._capture = capture
        self._allowed = frozenset(map(_entry, allowlist))

    def delivery_to(self, recipient: str) -> Delivery:
        """'live' for those on the list."""
        return self._channel_for(recipient).delivery_to(recipient)

    def batch_key(self, message: Message) -> Hashable:
        """That of the channel that the message goes to."""
        return self._channel_for(message.recipient).batch_key(message)

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Deliver or capture each, by its recipient."""
        channels = [self._channel_for(message.recipient) for message in messages]
        outcomes: dict[int, Outcome] = {}
        for channel in (self._live, self._capture):
            mine = [place for place, chosen in enumerate(channels) if chosen is channel]
            if mine:
                outcomes |= zip(mine, channel.deliver([messages[place] for place in mine]), strict=True)
        return [outcomes[place] for place in range(len(messages))]

    def find(self, message: Message) -> LookupResult:
        """Look where the message would have gone."""
        return self._channel_for(message.recipient).find(message)

    def _channel_for(self, recipient: str) -> BaseChannel:
        recipient = same_spelling(recipient)
        _, at, domain = recipient.rpartition("@")
        is_allowed = recipient in self._allowed or (bool(at) and f"@{domain}" in self._allowed)
        return self._live if is_allowed else self._capture


def _entry(entry: str) -> str:
    """An entry of the list in the spelling in which recipients are compared."""
    domain = domain_of(entry[1:]) if entry.startswith("@") else None
    return same_spelling(entry) if domain is None else f"@{domain}"


class Tee(BaseChannel):
    """Delivers to `first`, then lets `then` record it. The outcome of the second counts once the first is sent."""

    def __init__(self, first: BaseChannel, then: BaseChannel) -> None:
        self.name = first.name
        self.batch_size = min(first.batch_size, then.batch_size)
        self.calls_at_a_time = min(first.calls_at_a_time, then.calls_at_a_time)
        self._first = first
        self._then = then

    def delivery_to(self, recipient: str) -> Delivery:
        """As the recording has it."""
        return self._then.delivery_to(recipient)

    def batch_key(self, message: Message) -> Hashable:
        """As the first has it."""
        return self._first.batch_key(message)

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Deliver to both. A retry of the second repeats the first, which has to bear that."""
        outcomes = [
            replace(outcome, delivery=self.delivery_to(message.recipient))
            for message, outcome in zip(messages, self._first.deliver(messages), strict=True)
        ]
        passed = [place for place, outcome in enumerate(outcomes) if outcome.status == "sent"]
        if passed:
            then = self._then.deliver([messages[place] for place in passed])
            for place, outcome in zip(passed, then, strict=True):
                outcomes[place] = outcome
        return outcomes

    def find(self, message: Message) -> LookupResult:
        """Found when the recording, which comes last, has it."""
        return self._then.find(message)
