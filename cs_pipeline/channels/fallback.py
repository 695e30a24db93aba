"""Deliver messages of one kind by another channel, where their own is not connected (C-29).

That is decided once, when the channels are chosen; what it did is said with every message. How the e-mail that stands
for a text message is written is in `plays.messages.renderer`.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.message import Delivery, LookupResult, Message, Outcome

AS_EMAIL = "as_email_text"  # of the payload: the plain-text part of the e-mail that the message can become
INSTEAD_OF = "instead_of"


class Convert(Protocol):
    """Makes, of a message, the one that stands for it in another channel, under the same key."""

    def __call__(self, message: Message) -> Message: ...


@dataclass(frozen=True)
class Instead:
    """The kind that carries messages where their own is not connected, how they change, and what is said of it."""

    kind: str
    convert: Convert
    words: str


class Fallback(BaseChannel):
    """Delivers messages over `other` as `instead` has it, and says so."""

    def __init__(self, other: BaseChannel, instead: Instead) -> None:
        self.name = other.name
        self.batch_size, self.calls_at_a_time = other.batch_size, other.calls_at_a_time
        self._other = other
        self._instead = instead

    def batch_key(self, message: Message) -> Hashable:
        """As the other channel has it."""
        return self._other.batch_key(self._instead.convert(message))

    def delivery_to(self, recipient: str) -> Delivery:
        """Where the other channel delivers to `recipient`."""
        return self._other.delivery_to(recipient)

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Deliver each in its other form; `detail` of what was sent says that it went that way."""
        outcomes = self._other.deliver([self._instead.convert(message) for message in messages])
        return [
            replace(outcome, detail=self._instead.words.format(channel=message.channel))
            if outcome.status == "sent"
            else outcome
            for message, outcome in zip(messages, outcomes, strict=True)
        ]

    def find(self, message: Message) -> LookupResult:
        """Look for it in its other form."""
        return self._other.find(self._instead.convert(message))


def as_email(message: Message) -> Message:
    """The e-mail that stands for a text message."""
    text = str(message.payload.get(AS_EMAIL) or message.body_text)
    payload = {name: value for name, value in message.payload.items() if name != AS_EMAIL}
    return replace(message, channel="email", body_text=text, payload={**payload, INSTEAD_OF: message.channel})


BY_EMAIL = Instead("email", as_email, "by e-mail: no webhook is set for {channel}")
