"""Which channel carries a message, by the delivery mode.

`capture`: nothing leaves the machine. `allowlist`: only recipients on the list are reached, everything else is
captured. `live`: everybody. The CRM table is on the machine in every mode; what goes into it is shown among the
captures whenever captures are kept.
"""

from collections.abc import Mapping

from cs_pipeline.channels.capture import CaptureChannel
from cs_pipeline.channels.crm import CrmTableChannel
from cs_pipeline.channels.message import Channel, Delivery, Finding, Message, Outcome
from cs_pipeline.channels.sendgrid import SendGridChannel
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
    if settings.delivery == "live":
        return {"email": _sendgrid(settings), "slack": _slack(settings), "crm": table}
    capture = CaptureChannel(settings, warehouse, clock)
    shown_table = InTurn(table, capture)
    if settings.delivery == "capture":
        return {"email": capture, "slack": capture, "crm": shown_table}
    return {
        "email": Allowlisted(_sendgrid(settings), capture, settings.allowlist),
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

    def deliver(self, message: Message) -> Outcome:
        """Deliver or capture, by the recipient."""
        return self._channel_for(message.recipient).deliver(message)

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

    def deliver(self, message: Message) -> Outcome:
        """Deliver to both; both are idempotent by the action key, so a retry of the second repeats the first."""
        outcome = self._first.deliver(message)
        return self._then.deliver(message) if outcome.status == "sent" else outcome

    def find(self, message: Message) -> Finding:
        """Found when the recording, which comes last, has it."""
        return self._then.find(message)


def _sendgrid(settings: Settings) -> SendGridChannel:
    key = settings.sendgrid_api_key
    if key is None or not key.get_secret_value().strip():
        raise UserError(_missing(settings, "SENDGRID_API_KEY", "e-mail"))
    return SendGridChannel(key, host=settings.sendgrid_host, sender_email=settings.sender_email)


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
