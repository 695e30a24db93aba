"""Hand text messages, and what has no channel of its own, to a service of the team's over a signed webhook.

What is posted, how it is signed, and what the answers mean; docs/webhook.md says it for whoever writes the receiver.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from http.client import HTTPResponse
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request

from pydantic import SecretStr

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.http import (
    BROKEN_EXCHANGE,
    TIMEOUT_SECONDS,
    broken_off,
    is_web_address,
    opener_that_tells,
    redacted,
    seconds_in,
)
from cs_pipeline.channels.message import LookupResult, Message, Outcome
from cs_pipeline.channels.refusals import meaning_of_status, outcome_of
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import PREFIX

KEY_HEADER = "Idempotency-Key"
TIMESTAMP_HEADER = "Cs-Pipeline-Timestamp"
SIGNATURE_HEADER = "Cs-Pipeline-Signature"
MOST_READ = 10_000
LONGEST_ID = 200


class WebhookChannel(BaseChannel):
    """Posts one message a request to `url`, signed with `secret`. Both stay out of logs, reprs and outcomes.

    A receiver may get a message twice when an answer was lost and a person had it sent again; the key is the same.
    Raises UserError when `url` is none.
    """

    name = "webhook"

    def __init__(
        self, url: SecretStr, secret: SecretStr, clock: Clock, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        if not is_web_address(url.get_secret_value()):
            raise UserError(f"{PREFIX}WEBHOOK_URL is not an address such as https://hooks.example.com/cs-pipeline")
        self._url = url
        self._secret = secret
        self._clock = clock
        self._timeout = timeout_seconds
        self._opener = opener_that_tells()

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Post each message once. Any 2xx is `sent`; `provider_id` is the text `id` of a JSON answer, if it has one."""
        return [self._post(message) for message in messages]

    def find(self, message: Message) -> LookupResult:
        """A webhook only takes."""
        return LookupResult(
            "cannot_look", detail=f"a webhook cannot be asked for {message.action_key}; ask its receiver"
        )

    def _post(self, message: Message) -> Outcome:
        secrets = (self._secret.get_secret_value(), self._url.get_secret_value(), message.recipient)
        try:
            with self._opener.open(self._request(message), timeout=self._timeout) as response:
                return Outcome("sent", provider_id=_id_in(response))
        except HTTPError as error:
            with error:
                return _refusal(error)
        except BROKEN_EXCHANGE as error:
            return broken_off(error, redacted(error, without=secrets))

    def _request(self, message: Message) -> Request:
        body = json.dumps(body_of(message), ensure_ascii=False).encode()
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            KEY_HEADER: quote(message.action_key, safe="/:._-"),
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: signature_of(self._secret, timestamp, body),
        }
        return Request(self._url.get_secret_value(), data=body, headers=headers, method="POST")


def body_of(message: Message) -> dict[str, object]:
    """The JSON that is posted. New fields may come; `version` changes when one is taken away or means another thing."""
    return {
        "version": 1,
        "action_key": message.action_key,
        "channel": message.channel,
        "recipient": message.recipient,
        "subject": message.subject,
        "text": message.body_text,
        "account_id": message.account_id,
        "playbook": message.playbook,
        "step": message.step,
        "due_on": message.due_on.isoformat(),
    }


def signature_of(secret: SecretStr, timestamp: str, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256, in hexadecimal, of timestamp, a full stop, and the body as it was posted."""
    signed = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()


def _refusal(error: HTTPError) -> Outcome:
    """The receiver's words stay out: they may repeat what it was sent."""
    words, wait = f"the webhook answered {error.code}", seconds_in(error.headers, "Retry-After")
    is_later = error.code == 503 and wait is not None
    return outcome_of("later" if is_later else meaning_of_status(error.code), words, wait)


def _id_in(response: HTTPResponse) -> str | None:
    try:
        found = json.loads(response.read(MOST_READ))["id"]
    except (*BROKEN_EXCHANGE, ValueError, LookupError, TypeError):
        return None  # the status has said that it is accepted
    return found[:LONGEST_ID] if isinstance(found, str) and found.isprintable() else None
