"""Which channel carries a message, by the delivery mode.

`capture`: nothing leaves the machine. `allowlist`: only recipients on the list are reached, everything else is
captured. `live`: everybody. The CRM table is on the machine in every mode; what goes into it is shown among the
captures whenever captures are kept.
"""

from collections.abc import Mapping, Sequence

from cs_pipeline.channels.capture import CaptureChannel
from cs_pipeline.channels.crm import CrmTableChannel
from cs_pipeline.channels.message import Channel, Delivery, Finding, Message, Outcome
from cs_pipeline.channels.sendgrid import SendGridChannel
from cs_pipeline.channels.sendgrid_requests import Sending
from cs_pipeline.channels.slack import SlackChannel
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import PREFIX, Settings
from cs_pipeline.warehouse.connection import Warehouse


def channels_for(settings: Settings, warehouse: Warehouse, clock: Clock | None = None) -> Mapping[str, Channel]:
    """The channel of each kind of message: keys 'email', 'slack' and 'crm'.

    Raises UserError when messages shall leave the machine and a key is missing: now, not at the first message.
    """
    clock = clock if clock is not None else Clock(settings.now)
    table = CrmTableChannel(warehouse, clock)
    if settings.delivery == "live" and not settings.sendgrid_sandbox:
        return {"email": _sendgrid(settings), "slack": _slack(settings), "crm": table}
    capture = CaptureChannel(settings, warehouse, clock)
    shown_table = InTurn(table, capture)
    if settings.delivery == "capture":
        return {"email": capture, "slack": capture, "crm": shown_table}
    email = InTurn(_sendgrid(settings), capture) if settings.sendgrid_sandbox else _sendgrid(settings)
    if settings.delivery == "live":
        return {"email": email, "slack": _slack(settings), "crm": table}
    return {
        "email": Allowlisted(email, capture, settings.allowlist),
        "slack": Allowlisted(_slack(settings), capture, settings.allowlist),
        "crm": shown_table,
    }


class Allowlisted:
    """Delivers to recipients on the list; captures what is meant for anybody else."""

    def __init__(self, live: Channel, capture: Channel, allowlist: tuple[str, ...]) -> None:
        self._live = live
        self._capture = capture
        self._allowed = frozenset(entry.lower() for entry in allowlist)

    @property
    def name(self) -> str:
        """Name of the live channel."""
        return self._live.name

    def delivery_to(self, recipient: str) -> Delivery:
        """'live' for those on the list."""
        return self._channel_for(recipient).delivery_to(recipient)

    @property
    def most_at_once(self) -> int:
        """As many as the live channel takes."""
        return self._live.most_at_once

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Deliver or capture each, by its recipient."""
        channels = [self._channel_for(message.recipient) for message in messages]
        outcomes: dict[int, Outcome] = {}
        for channel in (self._live, self._capture):
            mine = [place for place, chosen in enumerate(channels) if chosen is channel]
            if mine:
                outcomes |= zip(mine, channel.deliver([messages[place] for place in mine]), strict=True)
        return [outcomes[place] for place in range(len(messages))]

    def find(self, message: Message) -> Finding:
        """Look where the message would have gone."""
        return self._channel_for(message.recipient).find(message)

    def _channel_for(self, recipient: str) -> Channel:
        recipient = recipient.strip().lower()
        _, at, domain = recipient.rpartition("@")
        is_allowed = recipient in self._allowed or (bool(at) and f"@{domain}" in self._allowed)
        return self._live if is_allowed else self._capture


class InTurn:
    """Delivers to `first`, then lets `then` record it. The outcome of the second counts once the first is sent."""

    def __init__(self, first: Channel, then: Channel) -> None:
        self._first = first
        self._then = then

    @property
    def name(self) -> str:
        """Name of the first channel."""
        return self._first.name

    def delivery_to(self, recipient: str) -> Delivery:
        """As the recording has it."""
        return self._then.delivery_to(recipient)

    @property
    def most_at_once(self) -> int:
        """As many as both take."""
        return min(self._first.most_at_once, self._then.most_at_once)

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Deliver to both. A retry of the second repeats the first, which has to bear that."""
        outcomes = self._first.deliver(messages)
        passed = [place for place, outcome in enumerate(outcomes) if outcome.status == "sent"]
        if passed:
            then = self._then.deliver([messages[place] for place in passed])
            for place, outcome in zip(passed, then, strict=True):
                outcomes[place] = outcome
        return outcomes

    def find(self, message: Message) -> Finding:
        """Found when the recording, which comes last, has it."""
        return self._then.find(message)


def _sendgrid(settings: Settings) -> SendGridChannel:
    key = settings.sendgrid_api_key
    if key is None or not key.get_secret_value().strip():
        raise UserError(_missing(settings, "SENDGRID_API_KEY", "e-mail"))
    sending = Sending(settings.sender_email, settings.sendgrid_unsubscribe_group, settings.sendgrid_sandbox)
    return SendGridChannel(key, host=settings.sendgrid_host, sending=sending)


def _slack(settings: Settings) -> SlackChannel:
    token = settings.slack_bot_token
    if token is None or not token.get_secret_value().strip():
        raise UserError(_missing(settings, "SLACK_BOT_TOKEN", "Slack messages"))
    return SlackChannel(token, base_url=settings.slack_base_url)


def _missing(settings: Settings, variable: str, what: str) -> str:
    return (
        f"{PREFIX}DELIVERY is {settings.delivery}, but {PREFIX}{variable} is not set, so {what} cannot be sent. "
        f"Set it in the environment, or set {PREFIX}DELIVERY=capture."
    )
