"""Text messages over a signed webhook: what is posted, how it is signed, and what each answer means for the outbox."""

import json
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from cs_pipeline.channels.fallback import BY_EMAIL, Fallback
from cs_pipeline.channels.message import Outcome
from cs_pipeline.channels.webhook import WebhookChannel
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from tests.builders.messages import EMAIL, SMS
from tests.channels.test_sendgrid import KEY as SENDGRID_KEY
from tests.channels.test_sendgrid import channel as sendgrid_channel
from tests.fakes.provider import Answer, closed_address, deaf_address, provider
from tests.fakes.sendgrid_api import SendGridApi

NOW = datetime(2026, 1, 6, 9, 30, tzinfo=UTC)
SECRET = "whsec-super-secret"
PATH = "/hooks/token-in-the-path"
DOCS = Path(__file__).parents[2] / "docs" / "webhook.md"


def channel(url: str, timeout_seconds: float = 5) -> WebhookChannel:
    return WebhookChannel(SecretStr(url + PATH), SecretStr(SECRET), Clock(NOW), timeout_seconds=timeout_seconds)


def outcome_of(answer: Answer, timeout_seconds: float = 5) -> Outcome:
    with provider(answer) as receiver:
        (outcome,) = channel(receiver.url, timeout_seconds).deliver([SMS])
        assert len(receiver.requests) == 1, "one delivery is one request"
        return outcome


@pytest.mark.requirement("S1-14", "C-29")
def test_a_text_message_is_posted_with_its_key_its_reader_and_its_text():
    with provider(Answer(200)) as receiver:
        assert channel(receiver.url).deliver([SMS]) == [Outcome("sent")]
    request = receiver.requests[0]
    assert (request.method, request.path) == ("POST", PATH)
    assert request.headers["Idempotency-Key"] == SMS.action_key
    assert request.json == {
        "version": 1,
        "action_key": SMS.action_key,
        "channel": "sms",
        "recipient": "ada@acme.example",
        "subject": "A hundred projects",
        "text": "Congratulations, Ada: your team has just finished its 100th project.",
        "account_id": "acme",
        "playbook": "milestone",
        "step": "congratulate",
        "due_on": "2026-01-06",
    }


def receiver_of_the_docs() -> dict:
    """The names that the code for receivers in the docs defines."""
    code = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    names: dict = {}
    exec(code[1], names)
    return names


def test_the_receiver_that_the_docs_show_accepts_what_is_posted_and_nothing_else():
    is_genuine = receiver_of_the_docs()["is_genuine"]
    with provider(Answer(200)) as receiver:
        channel(receiver.url).deliver([replace(SMS, body_text="Grüße, 你好 👋")])
    request = receiver.requests[0]
    now = NOW.timestamp()
    assert is_genuine(SECRET, request.headers, request.body, now)
    assert is_genuine(SECRET, request.headers, request.body, now + 299)
    assert not is_genuine(SECRET, request.headers, request.body, now + 301)
    assert not is_genuine(SECRET, request.headers, request.body + b" ", now)
    assert not is_genuine("another secret", request.headers, request.body, now)
    later = request.headers | {"Cs-Pipeline-Timestamp": str(int(now) + 200)}
    assert not is_genuine(SECRET, later, request.body, now + 301)
    assert not is_genuine(SECRET, {}, request.body, now)


def test_a_key_that_no_header_could_hold_travels_escaped_and_whole_in_the_body():
    key = "play/step/Zoë\r\nX-Evil: 1"
    with provider(Answer(200)) as receiver:
        channel(receiver.url).deliver([replace(SMS, action_key=key)])
    assert receiver.requests[0].headers["Idempotency-Key"] == "play/step/Zo%C3%AB%0D%0AX-Evil:%201"
    assert "X-Evil" not in receiver.requests[0].headers
    assert receiver.requests[0].json["action_key"] == key


@pytest.mark.parametrize(
    ("body", "provider_id"),
    [
        ({"id": "SM123"}, "SM123"),
        ({"id": 7}, None),
        ({}, None),
        ([], None),
        (b"OK", None),
        (b"\xff", None),
        (b"", None),
    ],
)
@pytest.mark.parametrize("status", [200, 202])
def test_any_2xx_is_sent_with_the_receivers_id_if_it_gives_one(status: int, body: object, provider_id: str | None):
    assert outcome_of(Answer(status, body)) == Outcome("sent", provider_id=provider_id)


def test_204_is_sent():
    assert outcome_of(Answer(204, b"")).status == "sent"


def test_a_rate_limit_is_retried_when_the_receiver_asks_or_soon():
    outcome = outcome_of(Answer(429, headers={"Retry-After": "17"}))
    assert (outcome.status, outcome.retry_after) == ("retry", timedelta(seconds=17))
    assert outcome_of(Answer(429)).retry_after == timedelta(minutes=1)


def test_an_overloaded_receiver_that_says_when_is_retried_then():
    outcome = outcome_of(Answer(503, headers={"Retry-After": "120"}))
    assert (outcome.status, outcome.retry_after) == ("retry", timedelta(seconds=120))


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 410])
def test_a_refusal_of_us_waits_and_no_redirect_is_followed(status: int):
    outcome = outcome_of(Answer(status, {"error": f"no {SMS.recipient}"}, {"Location": "http://127.0.0.1:1/"}))
    assert outcome == Outcome("retry", detail=f"the webhook answered {status}", cause="channel")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refusal_of_the_message_fails(status: int):
    outcome = outcome_of(Answer(status, {"error": f"no {SMS.recipient}"}, {"Location": "http://127.0.0.1:1/"}))
    assert (outcome.status, outcome.detail) == ("failed", f"the webhook answered {status}")


def test_a_redirect_to_what_is_no_address_waits_like_any_other():
    assert outcome_of(Answer(302, {}, {"Location": "http://[nowhere/"})).cause == "channel"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_uncertain_because_the_message_may_be_on_its_way(status: int):
    assert outcome_of(Answer(status, b"oops")).status == "uncertain"


@pytest.mark.parametrize("answer", [Answer(breaks_off=True), Answer(body=b"\x00 not http\r\n\r\n", is_garbage=True)])
def test_an_exchange_that_breaks_after_the_request_is_uncertain(answer: Answer):
    assert outcome_of(answer).status == "uncertain"


def test_silence_is_uncertain():
    assert outcome_of(Answer(hangs=True), timeout_seconds=0.3).status == "uncertain"


def test_an_answer_cut_short_was_an_answer():
    assert outcome_of(Answer(200, b"abc", claimed_length=5_000), timeout_seconds=0.5).status == "sent"


def test_nobody_listening_and_a_connection_that_never_comes_about_are_retried():
    assert channel(closed_address()).deliver([SMS])[0].status == "retry"
    with deaf_address() as url:
        assert channel(url, timeout_seconds=0.3).deliver([SMS])[0].status == "retry"


@pytest.mark.parametrize(
    "url",
    [
        "no-address",
        "ftp://x",
        "file:///etc/passwd",
        "https://",
        "http://host:port/",
        "http://a b/",
        "http://a/\n",
        "https://user:password@a.example/",
        "https://hooks..example.com/",
        f"https://{'a' * 64}.example/",
    ],
)
def test_an_address_that_is_none_is_refused_without_being_told(url: str):
    with pytest.raises(UserError, match="CS_PIPELINE_WEBHOOK_URL") as raised:
        WebhookChannel(SecretStr(url), SecretStr(SECRET), Clock(NOW))
    assert url == "https://" or url not in str(raised.value)


def test_a_webhook_cannot_be_asked_whether_it_has_a_message():
    assert channel("http://127.0.0.1:1").find(SMS).state == "cannot_look"


def test_neither_secret_nor_address_appears_in_a_log_an_outcome_or_a_repr(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG), provider(Answer(401, {"message": f"{SECRET} {SMS.recipient}"})) as receiver:
        webhook = channel(receiver.url)
        outcomes = [*webhook.deliver([SMS]), *channel(closed_address()).deliver([SMS])]
    told = f"{caplog.text}{outcomes!r}{webhook!r}{SMS!r}"
    assert SECRET not in told
    assert PATH not in told
    assert SMS.recipient not in told


@pytest.mark.requirement("C-29")
def test_where_no_webhook_is_set_a_text_message_is_an_e_mail_that_says_so():
    api = SendGridApi(SENDGRID_KEY)
    with provider(api) as sendgrid:
        (outcome,) = Fallback(sendgrid_channel(sendgrid.url), BY_EMAIL).deliver([SMS])
    assert (outcome.status, outcome.provider_id) == ("sent", "sg-1")
    assert outcome.detail == "by e-mail: no webhook is set for sms"
    (mail,) = api.inbox
    assert (mail.address, mail.subject, mail.action_key) == (SMS.recipient, SMS.subject, SMS.action_key)
    assert (mail.text, mail.html) == (SMS.payload["as_email_text"], SMS.body_html)
    assert mail.unsubscribe == "<https://example.com/unsubscribe?message=7>"


def test_what_becomes_of_such_an_e_mail_is_what_became_of_any():
    with provider(Answer(400, {"errors": [{"message": "no such sender"}]})) as sendgrid:
        by_email = Fallback(sendgrid_channel(sendgrid.url), BY_EMAIL)
        (outcome,) = by_email.deliver([SMS])
        assert by_email.find(SMS).state == "cannot_look"
        assert by_email.delivery_to(EMAIL.recipient) == "live"
    assert (outcome.status, outcome.detail) == ("failed", "SendGrid answered 400: no such sender")


def test_the_schema_that_the_docs_show_is_the_one_that_is_posted():
    shown = re.search(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    with provider(Answer(200)) as receiver:
        channel(receiver.url).deliver([SMS])
    assert json.loads(shown[1]).keys() == receiver.requests[0].json.keys()
