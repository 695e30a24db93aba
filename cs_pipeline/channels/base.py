"""Define what a channel can do, and what holds for it unless it says otherwise.

The contract of an adapter: a new one says its name and how it delivers. Messages and what comes of them are in
`message`; which channels there are is in `registry`.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence

from cs_pipeline.channels.message import Delivery, LookupResult, Message, Outcome


class BaseChannel(ABC):
    """One way out. `deliver` and `find` report what happened instead of raising, whatever a provider answers.

    `name`: how logs and reports call it, such as 'capture', 'sendgrid', 'slack', 'hubspot'. `batch_size`: how many
    messages `deliver` takes in one call. `calls_at_a_time`: how many calls may be under way at once, each in a thread.
    The larger of the two is how many messages may become uncertain together. `seconds_between`: how far apart messages
    are that share a turn (`turns`).
    """

    name: str
    batch_size: int = 1
    calls_at_a_time: int = 1
    seconds_between: float = 0.0

    def __repr__(self) -> str:
        """Its kind alone, so that no key reaches a log."""
        return f"{type(self).__name__}()"

    def batch_key(self, message: Message) -> Hashable:  # noqa: ARG002 - nothing by default
        """What messages of one call have in common, because the provider is told it once; None where it is nothing."""
        return None

    def turn_of(self, message: Message) -> str:  # noqa: ARG002 - one for all by default
        """What messages share between which `seconds_between` are to pass."""
        return ""

    def delivery_to(self, recipient: str) -> Delivery:  # noqa: ARG002 - alike for everybody by default
        """Where a message to `recipient` would go: to its reader ('live'), or into the captures."""
        return "live"

    @abstractmethod
    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Hand each message to the provider once; outcomes in their order. The action keys travel with them."""

    def find(self, message: Message) -> LookupResult:
        """Look whether the provider has the message, by its action key; by default it cannot be asked."""
        return LookupResult("cannot_look", detail=f"{self.name} cannot be asked for {message.action_key}")
