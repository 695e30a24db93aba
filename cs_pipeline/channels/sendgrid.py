"""E-mail through SendGrid's v3 API, with the vendor's library.

Only how a message becomes a request, and what SendGrid's answers mean for the outbox. SendGrid has no idempotency key
and no way to ask for one of ours, so an uncertain e-mail is never repeated: `find` cannot look.
"""

import json
from datetime import timedelta
from email.message import Message as Headers
from email.utils import parsedate_to_datetime
from urllib.request import OpenerDirector, Request

from pydantic import SecretStr
from python_http_client.client import Client
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import Category, Content, CustomArg, From, Header, Mail, Personalization, ReplyTo, To

from cs_pipeline.channels.message import Delivery, Finding, Message, Outcome
from cs_pipeline.channels.wire import (
    BROKEN_EXCHANGE,
    RETRY_SOON,
    TIMEOUT_SECONDS,
    never_written,
    opener_that_tells,
    seconds_in,
    silenced,
    told,
)

ACTION_KEY = "action_key"
LONGEST_CATEGORY = 255


class SendGridChannel:
    """Customer mail. `sender_email` is one verified at SendGrid; replies go to the account's owner."""

    def __init__(
        self,
        api_key: SecretStr,
        *,
        host: str,
        sender_email: str,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._api_key = api_key
        self._sender_email = sender_email
        self._sendgrid = client_of(api_key, host, timeout_seconds)

    def __repr__(self) -> str:
        return "SendGridChannel()"

    @property
    def name(self) -> str:
        """'sendgrid'."""
        return "sendgrid"

    def delivery_to(self, recipient: str) -> Delivery:  # noqa: ARG002 - alike for everybody
        """Always 'live'."""
        return "live"

    def deliver(self, message: Message) -> Outcome:
        """Send one e-mail. 202 is `sent`, with SendGrid's X-Message-Id."""
        secrets = (self._api_key.get_secret_value(), message.recipient)
        try:
            response = self._sendgrid.send(_mail(message, self._sender_email))
        except HTTPError as error:
            return _refusal(error, without=secrets)
        except BROKEN_EXCHANGE as error:
            if never_written(error):
                return Outcome("retry", detail=told(error, without=secrets), retry_after=RETRY_SOON)
            return Outcome("uncertain", detail=f"connection broke off: {told(error, without=secrets)}")
        if response.status_code != 202:
            return Outcome("uncertain", detail=f"SendGrid answered {response.status_code} instead of 202")
        return Outcome("sent", provider_id=response.headers.get("X-Message-Id"))

    def find(self, message: Message) -> Finding:
        """SendGrid cannot be asked for one of our keys."""
        return Finding("cannot_look", detail=f"SendGrid cannot be asked for {message.action_key}; look in its activity")


def client_of(api_key: SecretStr, host: str, timeout_seconds: float) -> SendGridAPIClient:
    """The vendor's client, which says nothing of its own and tells a failed connect from a broken exchange."""
    silenced("python_http_client.client")
    sendgrid = SendGridAPIClient(api_key.get_secret_value(), host=host)
    sendgrid.client = _TellingClient(
        host=host,
        request_headers=sendgrid._default_headers,
        version=3,
        timeout=timeout_seconds,  # pyright: ignore[reportArgumentType] - handed to urllib, which takes fractions
    )
    return sendgrid


def _mail(message: Message, sender_email: str) -> Mail:
    mail = Mail()
    mail.from_email = From(sender_email, _text(message, "sender_name"))
    mail.subject = message.subject
    mail.add_content(Content("text/plain", message.body_text))
    if message.body_html is not None:
        mail.add_content(Content("text/html", message.body_html))
    person = Personalization()
    person.add_to(To(message.recipient))
    # Custom arguments sit with the person, not the mail: SendGrid's events then name the action of each recipient.
    person.add_custom_arg(CustomArg(ACTION_KEY, message.action_key))
    mail.add_personalization(person)
    if reply_to := _text(message, "reply_to"):
        mail.reply_to = ReplyTo(reply_to)
    if unsubscribe_url := _text(message, "unsubscribe_url"):
        mail.add_header(Header("List-Unsubscribe", f"<{unsubscribe_url}>"))
    for category in (message.category, message.playbook):
        mail.add_category(Category(category[:LONGEST_CATEGORY]))
    return mail


def _text(message: Message, key: str) -> str | None:
    value = message.payload.get(key)
    return value if isinstance(value, str) else None


def _refusal(error: HTTPError, *, without: tuple[str, ...]) -> Outcome:
    status, headers = error.status_code, error.headers
    words = f"SendGrid answered {status}: {told(_words(error.body), without=without)}"
    if status == 429:
        return Outcome("retry", detail=words, retry_after=_asked_to_wait(headers) or RETRY_SOON)
    if status == 503 and (wait := seconds_in(headers, "Retry-After")) is not None:
        return Outcome("retry", detail=words, retry_after=wait)
    if 300 <= status < 500:
        return Outcome("failed", detail=words)
    return Outcome("uncertain", detail=words)


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


def _words(body: bytes) -> str:
    """SendGrid's messages out of its error body, or the body as it is."""
    text = body.decode("utf-8", "replace")
    try:
        return "; ".join(problem["message"] for problem in json.loads(text)["errors"])
    except (ValueError, KeyError, TypeError):
        return text


class _TellingClient(Client):
    """The vendor's HTTP client on connections that tell a failed connect from a broken exchange."""

    _version: int | None
    _url_path: list[str]

    def _build_client(self, name: str | None = None) -> "_TellingClient":
        return _TellingClient(
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            append_slash=self.append_slash,
            timeout=self.timeout,
        )

    def _make_request(self, opener: OpenerDirector, request: Request, timeout: float | None = None):  # noqa: ARG002
        return Client._make_request(self, opener_that_tells(), request, timeout=timeout)  # pyright: ignore
