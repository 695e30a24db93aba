"""Text messages as e-mail, where no webhook takes them (C-29).

That is decided once, when the channels are chosen; what it did is said with every message. How such an e-mail is
written is in `plays.messages.renderer`.
"""

from collections.abc import Hashable, Sequence
from dataclasses import replace

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.message import Delivery, LookupResult, Message, Outcome
from cs_pipeline.channels.registry import KINDS
from cs_pipeline.settings import Settings

AS_EMAIL = "as_email_text"  # of the payload: the plain-text part of the e-mail that the message can become
INSTEAD_OF = "instead_of"


class EmailFallback(BaseChannel):
    """Delivers a message of another channel over `email`, with the e-mail's text, and says so."""

    def __init__(self, email: BaseChannel) -> None:
        self.name = email.name
        self.batch_size = email.batch_size
        self._email = email

    def batch_key(self, message: Message) -> Hashable:
        """As the e-mail has it."""
        return self._email.batch_key(as_email(message))

    def delivery_to(self, recipient: str) -> Delivery:
        """Where e-mail to `recipient` goes."""
        return self._email.delivery_to(recipient)

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Deliver each as e-mail; `detail` of what was sent says that it went that way."""
        outcomes = self._email.deliver([as_email(message) for message in messages])
        return [
            replace(outcome, detail=f"by e-mail: no webhook is set for {message.channel}")
            if outcome.status == "sent"
            else outcome
            for message, outcome in zip(messages, outcomes, strict=True)
        ]

    def find(self, message: Message) -> LookupResult:
        """Look for the e-mail."""
        return self._email.find(as_email(message))


def as_email(message: Message) -> Message:
    """The e-mail that stands for `message`, under the same key."""
    text = str(message.payload.get(AS_EMAIL) or message.body_text)
    payload = {name: value for name, value in message.payload.items() if name != AS_EMAIL}
    return replace(message, channel="email", body_text=text, payload={**payload, INSTEAD_OF: message.channel})


def as_it_travels(message: Message, settings: Settings) -> Message:
    """The message as its reader gets it with these settings."""
    kind = KINDS[message.channel]
    goes_by_email = kind.becomes_email and not kind.is_connected(settings)
    return as_email(message) if goes_by_email else message
