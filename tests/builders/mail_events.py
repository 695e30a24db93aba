"""What SendGrid's event webhook posts, signed with a key of the test's own."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cs_pipeline.channels.sendgrid_events import SIGNATURE, TIMESTAMP

_TOLD = count()


@cache
def _private_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public_key() -> str:
    """The key as SendGrid shows it."""
    shown = _private_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(shown).decode()


def signed(body: bytes, signed_at: datetime) -> dict[str, str]:
    """The headers of a request with that body."""
    timestamp = str(int(signed_at.timestamp()))
    signature = _private_key().sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: timestamp, "Content-Type": "application/json"}


def event(name: str, at: datetime, email: str = "ada@acme.example", **fields: Any) -> dict[str, Any]:
    """One event, as SendGrid tells it; each telling has an id of its own."""
    return {
        "email": email,
        "timestamp": int(at.timestamp()),
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "event": name,
        "sg_event_id": f"told-{next(_TOLD)}",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        **fields,
    }


def body_of(events: Sequence[Mapping[str, Any]]) -> bytes:
    """The events as SendGrid writes them."""
    return json.dumps(events, indent=1).encode()
