"""Read what SendGrid's event webhook says: whether it is signed, and which events it tells.

What SendGrid means by an event is said here; what is kept of it, and what follows, is in `answers.mail_events`. Nothing
that is signed is thrown away: what cannot be read is an event with a `problem`.
"""

import binascii
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sendgrid.helpers.eventwebhook import EventWebhook

from cs_pipeline.addresses import hash_of, same_spelling
from cs_pipeline.channels.message import clean
from cs_pipeline.channels.sendgrid_requests import ACTION_KEY

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
NOT_SIGNED = "it is not signed: switch on Signed Event Webhook at SendGrid"
MOST_BYTES = 4_000_000
"""Of a request. SendGrid sends what a second or 768 kB hold, whichever is less."""
OLDEST = timedelta(hours=25)
"""SendGrid repeats for 24 hours, and does not say whether it signs what it repeats anew. What comes twice counts once,
so a request that somebody else repeats within that time changes nothing."""
NEWEST = timedelta(minutes=5)  # by which clocks may differ
LONGEST_NAME = 100
LONGEST_TEXT = 2_000
MOST_SHOWN = 10_000  # letters of a body that is no JSON
FIRST_SECOND, LAST_SECOND = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2000, 2100))
KNOWN = (
    "processed", "deferred", "delivered", "dropped", "bounce", "open", "click", "spamreport", "unsubscribe",
    "group_unsubscribe", "group_resubscribe",
)  # fmt: skip
"""Events of a mail, which always name an address. Others are kept as they are."""


@dataclass(frozen=True)
class MailEvent:
    """One event. `event_key` is the same however often it is told; `refuses` says why its address gets no more mail.

    Address and body stay out of its repr. `problem`: what is wrong with it, in words; the rest may then be missing.
    """

    event_key: str
    body: Any = field(repr=False)
    event: str | None = None
    occurred_at: str | None = None
    message_id: str | None = None
    action_key: str | None = None
    email: str | None = field(default=None, repr=False)
    email_hash: str | None = None
    refuses: str | None = None
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Its fields, for PostgreSQL."""
        return asdict(self)


def why_not_believed(key: str, signature: str, timestamp: str, body: bytes, now: datetime) -> str:
    """Why a request is not SendGrid's, in words; empty where it is. `key`: SendGrid's public key, in base64."""
    if not signature or not timestamp:
        return NOT_SIGNED
    try:
        is_signed = EventWebhook(key).verify_signature(body.decode(), signature, timestamp)
    except (ValueError, binascii.Error, TypeError):
        is_signed = False
    if not is_signed:
        return (
            "its signature does not fit: CS_PIPELINE_SENDGRID_WEBHOOK_KEY is that of another webhook, or it is forged"
        )
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 10):
        return "its timestamp is no number of seconds"
    signed_at = datetime.fromtimestamp(int(timestamp), UTC)
    if not now - OLDEST <= signed_at <= now + NEWEST:
        return f"it was signed at {signed_at:%Y-%m-%d %H:%M} UTC, which is too far from now"
    return ""


def read_events(body: bytes, *, unsubscribe_group: int | None) -> list[MailEvent]:
    """Every event of a request that is signed. Who leaves `unsubscribe_group`, or a group by a mail of ours, gets no
    more of our mail; who leaves another of SendGrid's groups does.
    """
    text = body.decode("utf-8", "replace")
    try:
        found = _storable(json.loads(text, parse_float=_finite, parse_constant=str))
    except (ValueError, RecursionError):
        return [_broken(clean(text[:MOST_SHOWN]), "is no JSON that can be read")]
    if not isinstance(found, list):
        return [_broken(found, "is no list of events")]
    return [_read(each, unsubscribe_group) for each in found]


def _read(body: Any, unsubscribe_group: int | None) -> MailEvent:
    if not isinstance(body, dict):
        return _broken(body, "is no event, which is an object with fields")
    event, at, email = body.get("event"), _seconds(body.get("timestamp")), _text(body, "email")
    if not isinstance(event, str) or not 0 < len(event) <= LONGEST_NAME:
        return _broken(body, "has no name in the field `event`")
    if at is None:
        return _broken(body, "has no moment in the field `timestamp`, which is a number of seconds since 1970")
    if event in KNOWN and not email:
        return _broken(body, "has no address in the field `email`")
    return MailEvent(
        _key_of(body, event, at, email),
        body,
        event,
        datetime.fromtimestamp(at, UTC).isoformat(),
        _message_of(body),
        _text(body, ACTION_KEY),
        same_spelling(email) if email else None,
        hash_of(email) if email else None,
        _refuses(body, event, unsubscribe_group),
    )


def _key_of(body: Mapping[str, Any], event: str, at: int, email: str | None) -> str:
    """What makes the event itself: `sg_event_id` is another one each time it is told, and may be missing."""
    message = _message_of(body)
    if message is None:
        return _digest({name: value for name, value in body.items() if name != "sg_event_id"})
    return _digest([message, event, at, email, body.get("url")])


def _refuses(body: Mapping[str, Any], event: str, unsubscribe_group: int | None) -> str | None:
    """The reason of cs.suppressions, as in `sendgrid_suppressions`."""
    if event == "bounce":
        # A mail that is blocked came back this time; the address is as good as before.
        return None if body.get("type") == "blocked" else "bounced"
    if event == "group_unsubscribe":
        is_ours = _text(body, ACTION_KEY) is not None
        return "unsubscribed" if is_ours or body.get("asm_group_id") == (unsubscribe_group or "none") else None
    return {"unsubscribe": "unsubscribed", "spamreport": "spam"}.get(event)


def _message_of(body: Mapping[str, Any]) -> str | None:
    return _text(body, "sg_message_id") or _text(body, "smtp-id")


def _broken(body: Any, problem: str) -> MailEvent:
    return MailEvent(_digest(body), body, problem=problem)


def _digest(value: Any) -> str:
    """A UUID of its content."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value.strip()[:LONGEST_TEXT] or None if isinstance(value, str) else None


def _seconds(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if FIRST_SECOND <= value < LAST_SECOND else None


def _finite(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _storable(value: Any) -> Any:
    """The value without signs that PostgreSQL does not take."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {clean(name): _storable(each) for name, each in value.items()}
    return value
