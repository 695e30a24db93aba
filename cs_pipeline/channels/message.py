"""Define messages, and what came of delivering or looking them up: the words of the outbox and the channels.

What a channel can do is in `base`; no delivery rule belongs here.
"""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

OutcomeStatus = Literal["sent", "retry", "failed", "uncertain"]
Cause = Literal["message", "channel", "not_asked"]
Delivery = Literal["capture", "live"]
LookupState = Literal["found", "not_found", "cannot_look"]

NOT_TAKEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Signs that PostgreSQL refuses, that steer a terminal, or that turn the direction of writing."""


@dataclass(frozen=True)
class Picture:
    """A PNG that a message shows. `alt_text` says what is to be seen in it, for those who do not see it.

    The HTML of a mail shows it as `cid:<name>`, an image block of Slack as `"picture": "<name>"`.
    """

    name: str
    alt_text: str
    png: bytes = field(repr=False)


@dataclass(frozen=True)
class Message:
    """One action, rendered for one recipient. Addresses and texts stay out of its repr, hence out of logs.

    `recipient` is an address (e-mail), a `#channel`, a channel's id or an address (Slack), or an assignee (CRM).
    `payload` is what only one channel understands:

    - e-mail: `preview`, `sender_name`, `unsubscribe_url` (str), `reply_to` (str or None);
    - Slack: `blocks` (list of Block Kit blocks); `answers` (which of `slack_buttons.VERBS` it has buttons for); where
      a thread is under way `thread` (provider id of one of its messages) and `is_broadcast` (whether to show the
      answer in the conversation as well);
    - text message: those of e-mail, and `as_email_text` (the text of the e-mail that it can become);
    - CRM: `kind` ('task' or 'opportunity'), `priority` ('low', 'normal', 'high' or 'urgent').

    `due_on` is the day the action was planned for, `category` the family of its playbook.
    """

    action_key: str
    channel: str
    recipient: str = field(repr=False)
    subject: str = field(repr=False)
    body_text: str = field(repr=False)
    body_html: str | None = field(repr=False)
    payload: dict[str, object] = field(repr=False)
    account_id: str
    playbook: str
    step: str
    due_on: date
    category: str
    pictures: tuple[Picture, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Outcome:
    """What came of one delivery (design section 8).

    - `sent`: the provider accepted it; `provider_id` is its name for the message.
    - `retry`: refused before acceptance, so it can be delivered again after `retry_after`. `cause` says whose matter
      that is: the `message`'s own; the `channel`'s, which takes nothing from us at the moment, whatever it is (a
      refused key); or none, because it was `not_asked` after what came of those before it. Only the first counts
      towards giving the message up.
    - `failed`: refused for good; `detail` has the provider's words.
    - `uncertain`: it may or may not have been accepted. Never deliver again on a guess: `find`, or ask a person.

    `delivery` says whether the message left for its reader ('live') or was only recorded ('capture'). A provider's
    words hold no sign that PostgreSQL does not take.
    """

    status: OutcomeStatus
    provider_id: str | None = None
    detail: str | None = None
    retry_after: timedelta | None = None
    delivery: Delivery = "live"
    cause: Cause = "message"

    def __post_init__(self) -> None:
        _clean(self, "provider_id", "detail")


@dataclass(frozen=True)
class LookupResult:
    """What looking for an action at the provider showed.

    - `found`: it is there, as `provider_id`: the action was sent.
    - `not_found`: the provider was asked and does not have it: it can be delivered again.
    - `cannot_look`: the provider cannot be asked, or did not answer; nothing is known, a person decides.
    """

    state: LookupState
    provider_id: str | None = None
    detail: str | None = None

    def __post_init__(self) -> None:
        _clean(self, "provider_id", "detail")


def clean(words: str) -> str:
    """Words of an outside party as PostgreSQL, a terminal and a log can take them: other signs become U+FFFD."""
    return NOT_TAKEN.sub("\N{REPLACEMENT CHARACTER}", words)


def _clean(said: object, *fields: str) -> None:
    for name in fields:
        words = getattr(said, name)
        if isinstance(words, str):
            object.__setattr__(said, name, clean(words))
