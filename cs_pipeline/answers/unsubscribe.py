"""Honour an unsubscribe link: its address gets no mail and no text from that moment, of whichever account it is."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.addresses import same_spelling
from cs_pipeline.plays.messages.unsubscribe_link import read_link_key, signature_of

SOURCE = "unsubscribe link"
"""Of what they add to cs.suppressions."""


@dataclass(frozen=True)
class Subscriber:
    """Whose link it is. The address stays out of its repr; it is None where nothing here knows it any more."""

    address: str | None = field(repr=False)

    @property
    def masked(self) -> str:
        """The address as somebody may see it to whom the mail was passed on: `a…@acme.example`."""
        local, _, domain = (self.address or "").partition("@")
        return f"{local[:1]}…@{domain}" if domain else ""


def subscriber_of(session: Session, digest: str, signature: str) -> Subscriber | None:
    """Whose link has that digest and signature; None where it is none of ours."""
    if not signature or not hmac.compare_digest(
        signature_of(digest, read_link_key(session)).encode(), signature.encode("utf-8", "replace")
    ):
        return None
    with session.cursor() as cursor:
        cursor.execute("select min(address) from cs.customer_mails where digest = %s", [digest])
        ((address,),) = cursor.fetchall()
    return Subscriber(address)


def unsubscribe(session: Session, subscriber: Subscriber, now: datetime) -> None:
    """Let the address get nothing any more; again changes nothing. Safe once the transaction is committed."""
    if subscriber.address is None:
        return
    with session.cursor() as cursor:
        cursor.execute(
            "insert into cs.suppressions (address, reason, source, since) values (%s, 'unsubscribed', %s, %s) "
            "on conflict (address, reason) do nothing",
            [same_spelling(subscriber.address), SOURCE, now],
        )
