"""Send e-mail through SendGrid's v3 API, with the vendor's library.

Only the exchange: what a request says is in `sendgrid_requests`, what a refusal means (401, 429, ...) in `refusals`,
and how a refused channel pauses in `plays.outbox.channel_pauses`.
SendGrid has no idempotency key and no way to ask for one of ours, so an uncertain e-mail is never repeated: `find`
cannot look.
"""

import json
from collections.abc import Hashable, Sequence
from datetime import timedelta
from email.message import Message as Headers
from email.utils import parsedate_to_datetime

from pydantic import SecretStr
from python_http_client.exceptions import HTTPError
from sendgrid.helpers.mail import Mail

from cs_pipeline.channels.base import BaseChannel
from cs_pipeline.channels.http import (
    BROKEN_EXCHANGE,
    TIMEOUT_SECONDS,
    broken_off,
    redacted,
    seconds_in,
)
from cs_pipeline.channels.message import LookupResult, Message, Outcome
from cs_pipeline.channels.refusals import SENDGRID_FIELDS_OF_OURS, meaning_of_status, outcome_of
from cs_pipeline.channels.sendgrid_client import CALLS_AT_A_TIME, client_of
from cs_pipeline.channels.sendgrid_requests import Sending, batch_key, is_address, requests

MOST_TOGETHER = 100
NO_ADDRESS = Outcome("failed", detail="the recipient is not an e-mail address")


class SendGridChannel(BaseChannel):
    """Customer mail, sent as `sending` says; replies go to the account's owner."""

    name = "sendgrid"
    batch_size = MOST_TOGETHER
    calls_at_a_time = CALLS_AT_A_TIME

    def __init__(
        self,
        api_key: SecretStr,
        *,
        host: str,
        sending: Sending,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._api_key = api_key
        self._sending = sending
        self._sendgrid = client_of(api_key, host, timeout_seconds)

    def batch_key(self, message: Message) -> Hashable:
        """What a request says once."""
        return batch_key(message)

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Send the e-mails. 202 is `sent`, with the X-Message-Id that SendGrid gives the request.

        A request that SendGrid refuses over what it says is repeated mail by mail, so that one bad address stops
        nobody else's. Once SendGrid asks to wait, or does not answer, it is asked for nothing more: a call must end
        well within the lease of its actions.
        """
        outcomes = {place: NO_ADDRESS for place, message in enumerate(messages) if not is_address(message.recipient)}
        addressed = [place for place in range(len(messages)) if place not in outcomes]
        wait: Outcome | None = None
        for chosen, mail in requests([messages[place] for place in addressed], self._sending):
            places = [addressed[number] for number in chosen]
            together = [messages[place] for place in places]
            found = [wait] * len(places) if wait else self._request(together, mail)
            outcomes |= zip(places, found, strict=True)
            wait = next(map(_not_asked, filter(_is_over, found)), None)
        return [outcomes[place] for place in range(len(messages))]

    def _request(self, messages: Sequence[Message], mail: Mail) -> list[Outcome]:
        outcome, is_over_content = self._send(messages, mail)
        if len(messages) == 1 or not is_over_content:
            return [outcome] * len(messages)
        outcomes: list[Outcome] = []
        for message in messages:
            if outcomes and _is_over(outcomes[-1]):
                outcomes.append(_not_asked(outcomes[-1]))
            else:
                outcomes += self.deliver([message])
        return outcomes

    def _send(self, messages: Sequence[Message], mail: Mail) -> tuple[Outcome, bool]:
        """What came of the request, and whether it was refused for something it says."""
        secrets = (self._api_key.get_secret_value(), *(message.recipient for message in messages))
        try:
            response = self._sendgrid.send(mail)
        except HTTPError as error:
            refusal = _refusal(error, without=secrets)
            return refusal, refusal.status == "failed"
        except BROKEN_EXCHANGE as error:
            return broken_off(error, redacted(error, without=secrets)), False
        expected = 200 if self._sending.is_sandbox else 202
        if response.status_code != expected:
            return Outcome("uncertain", detail=f"SendGrid answered {response.status_code} instead of {expected}"), False
        return Outcome("sent", provider_id=response.headers.get("X-Message-Id")), False

    def find(self, message: Message) -> LookupResult:
        """SendGrid cannot be asked for one of our keys."""
        return LookupResult(
            "cannot_look", detail=f"SendGrid cannot be asked for {message.action_key}; look in its activity"
        )


def _is_over(outcome: Outcome) -> bool:
    return outcome.status in ("retry", "uncertain")


def _not_asked(outcome: Outcome) -> Outcome:
    """What becomes of the mails behind a request with that outcome, which were never written."""
    cause = outcome.cause if outcome.cause == "channel" else "not_asked"
    return Outcome("retry", detail=outcome.detail, retry_after=outcome.retry_after, cause=cause)


def _refusal(error: HTTPError, *, without: tuple[str, ...]) -> Outcome:
    status, headers = error.status_code, error.headers
    words = f"SendGrid answered {status}: {redacted(_words(error.body), without=without)}"
    wait = _asked_to_wait(headers) if status == 429 else seconds_in(headers, "Retry-After")
    if status == 503 and wait is not None:
        return outcome_of("later", words, wait)
    if status == 400 and _is_of_ours(error.body):
        return outcome_of("channel", words)
    return outcome_of(meaning_of_status(status), words, wait)


def _asked_to_wait(headers: Headers | None) -> timedelta | None:
    """Retry-After, or how far X-RateLimit-Reset (epoch seconds) lies after the answer's own Date."""
    if (wait := seconds_in(headers, "Retry-After")) is not None or headers is None:
        return wait
    try:
        reset = float(headers["X-RateLimit-Reset"])
        answered = parsedate_to_datetime(headers["Date"]).timestamp()
    except (TypeError, ValueError):
        return None
    return timedelta(seconds=min(max(reset - answered, 1.0), 86_400))


def _problems(body: bytes) -> list[dict]:
    """SendGrid's list of errors; empty where the body is none of SendGrid's."""
    try:
        problems = json.loads(body)["errors"]
        return [problem for problem in problems if isinstance(problem["message"], str)]
    except (ValueError, KeyError, TypeError):
        return []


def _words(body: bytes) -> str:
    """SendGrid's messages out of its error body, or the body as it is."""
    return "; ".join(problem["message"] for problem in _problems(body)) or body.decode("utf-8", "replace")


def _is_of_ours(body: bytes) -> bool:
    """Whether SendGrid refuses only what is alike in every mail of ours, such as the sender."""
    fields = [str(problem.get("field") or "").partition(".")[0] for problem in _problems(body)]
    return bool(fields) and all(field in SENDGRID_FIELDS_OF_OURS for field in fields)
