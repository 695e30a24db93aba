"""E-mail through SendGrid: what a request holds, and what each answer means for the outbox."""

import logging
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from cs_pipeline.channels import pooled_exchange
from cs_pipeline.channels.message import Outcome
from cs_pipeline.channels.sendgrid import SendGridChannel
from cs_pipeline.channels.sendgrid_requests import Sending
from cs_pipeline.errors import UserError
from tests.builders.messages import EMAIL, delivered
from tests.fakes.provider import Answer, closed_address, deaf_address, provider, self_signed
from tests.waiting import wait_until

KEY = "SG.super-secret-key"
ACCEPTED = Answer(202, headers={"X-Message-Id": "sg-1"})


def channel(url: str, timeout_seconds: float = 5) -> SendGridChannel:
    return SendGridChannel(
        SecretStr(KEY), host=url, sending=Sending("success@example.com"), timeout_seconds=timeout_seconds
    )


def outcome_of(answer: Answer, timeout_seconds: float = 5) -> Outcome:
    with provider(answer) as sendgrid:
        outcome = delivered(channel(sendgrid.url, timeout_seconds), EMAIL)
        assert len(sendgrid.requests) == 1, "one delivery is one request"
        return outcome


def refusal(words: str) -> dict:
    return {"errors": [{"message": words, "field": None, "help": None}]}


def test_an_accepted_mail_is_sent_under_sendgrids_message_id():
    assert outcome_of(ACCEPTED) == Outcome("sent", provider_id="sg-1", delivery="live")


def test_the_request_holds_one_person_both_parts_our_key_and_where_replies_go():
    with provider(ACCEPTED) as sendgrid:
        delivered(channel(sendgrid.url), EMAIL)
    request = sendgrid.requests[0]
    assert request.path == "/v3/mail/send"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    mail = request.json
    assert mail["personalizations"] == [
        {
            "to": [{"email": "ada@acme.example"}],
            "subject": "A quick guide to reports",
            "headers": {"List-Unsubscribe": "<https://example.com/unsubscribe?message=7>"},
            "custom_args": {"action_key": EMAIL.action_key},
        }
    ]
    assert mail["from"] == {"email": "success@example.com", "name": "Customer Success"}
    assert mail["reply_to"] == {"email": "olga@example.com"}
    assert [part["type"] for part in mail["content"]] == ["text/plain", "text/html"]
    assert sorted(mail["categories"]) == ["save", "yellow_adoption"]


def test_a_category_never_exceeds_sendgrids_255_characters():
    with provider(ACCEPTED) as sendgrid:
        delivered(channel(sendgrid.url), replace(EMAIL, category="x" * 300))
    assert max(len(category) for category in sendgrid.requests[0].json["categories"]) == 255


def test_a_play_that_is_called_as_its_family_has_one_category():
    with provider(ACCEPTED) as sendgrid:
        delivered(channel(sendgrid.url), replace(EMAIL, playbook="winback", category="winback"))
    assert sendgrid.requests[0].json["categories"] == ["winback"]


def test_a_rate_limit_is_retried_when_sendgrid_asks():
    outcome = outcome_of(Answer(429, refusal("too many requests"), {"Retry-After": "17"}))
    assert (outcome.status, outcome.retry_after) == ("retry", timedelta(seconds=17))


def test_a_reset_time_far_off_is_waited_for_a_day_at_most():
    reset = {"X-RateLimit-Reset": "4102444800"}  # in the year 2100
    outcome = outcome_of(Answer(429, refusal("slow down"), reset))
    assert (outcome.status, outcome.retry_after) == ("retry", timedelta(days=1))


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}, {"X-RateLimit-Reset": "never"}])
def test_a_rate_limit_without_a_usable_time_is_retried_soon(headers: dict[str, str]):
    outcome = outcome_of(Answer(429, refusal("slow down"), headers))
    assert (outcome.status, outcome.retry_after) == ("retry", timedelta(minutes=1))


def test_an_overloaded_provider_that_says_when_is_retried_then():
    outcome = outcome_of(Answer(503, refusal("busy"), {"Retry-After": "120"}))
    assert (outcome.status, outcome.retry_after) == ("retry", timedelta(seconds=120))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_uncertain_because_the_mail_may_be_on_its_way(status: int):
    assert outcome_of(Answer(status, b"oops")).status == "uncertain"


@pytest.mark.parametrize("status", [400, 413])
def test_a_refusal_of_the_mail_fails_with_sendgrids_words(status: int):
    outcome = outcome_of(Answer(status, refusal("Does not contain a valid address.")))
    assert outcome == Outcome("failed", detail=f"SendGrid answered {status}: Does not contain a valid address.")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "The provided authorization grant is invalid, expired, or revoked"),
        (401, "Maximum credits exceeded"),
        (403, "The from address does not match a verified Sender Identity."),
        (404, "not found"),
        (405, "method not allowed"),
        (415, "unsupported"),
    ],
)
def test_a_refusal_of_us_waits_and_is_not_the_mails_matter(status: int, words: str):
    outcome = outcome_of(Answer(status, refusal(words)))
    assert outcome == Outcome("retry", detail=f"SendGrid answered {status}: {words}", cause="channel")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (("from.email",), "retry"),
        (("from", "asm.group_id"), "retry"),
        (("from", "personalizations.0.to"), "failed"),
        ((None,), "failed"),
        (("subject",), "failed"),
    ],
)
def test_what_is_refused_over_what_every_mail_says_is_no_matter_of_this_mail(
    fields: tuple[str | None, ...], status: str
):
    problems = {"errors": [{"message": "bad", "field": field, "help": None} for field in fields]}
    assert outcome_of(Answer(400, problems)).status == status


def test_a_refusal_that_nobody_has_heard_of_waits():
    outcome = outcome_of(Answer(418, b"a teapot"))
    assert (outcome.status, outcome.cause) == ("retry", "message")


def test_a_redirect_is_not_followed_and_waits():
    outcome = outcome_of(Answer(302, b"", {"Location": "https://elsewhere.example/"}))
    assert (outcome.status, outcome.cause) == ("retry", "channel")


def test_sandbox_mode_is_not_taken_for_sent():
    outcome = outcome_of(Answer(200))
    assert (outcome.status, outcome.detail) == ("uncertain", "SendGrid answered 200 instead of 202")


def test_nobody_listening_is_retried():
    outcome = delivered(channel(closed_address()), EMAIL)
    assert (outcome.status, outcome.retry_after) == ("retry", timedelta(minutes=1))


def test_a_name_that_does_not_resolve_is_retried():
    assert delivered(channel("http://no-such-host.invalid"), EMAIL).status == "retry"


def test_a_connection_that_never_came_about_is_retried():
    with deaf_address() as url:
        assert delivered(channel(url, timeout_seconds=0.3), EMAIL).status == "retry"


def test_silence_after_the_request_was_written_is_uncertain():
    assert outcome_of(Answer(hangs=True), timeout_seconds=0.3).status == "uncertain"


def test_a_connection_broken_after_the_request_was_written_is_uncertain():
    assert outcome_of(Answer(breaks_off=True)).status == "uncertain"


KEPT = replace(ACCEPTED, kept=True)


def test_mails_go_one_after_another_over_the_connection_that_is_there():
    with provider(KEPT) as sendgrid:
        sending = channel(sendgrid.url)
        assert [delivered(sending, EMAIL).status for _ in range(3)] == ["sent"] * 3
        assert (len(sendgrid.requests), sendgrid.opened) == (3, 1)


def test_a_connection_that_the_provider_has_closed_without_a_word_is_not_written_to():
    with provider(replace(ACCEPTED, dropped=True)) as sendgrid:
        sending = channel(sendgrid.url)
        for number in (1, 2, 3):
            assert delivered(sending, EMAIL).status == "sent"
            wait_until("it is closed", timedelta(seconds=5), lambda closed=number: sendgrid.closed == closed)
        assert (len(sendgrid.requests), sendgrid.opened) == (3, 3)


def test_a_connection_that_rested_is_not_written_to(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pooled_exchange, "KEPT_FOR", 0.0)
    with provider(KEPT) as sendgrid:
        sending = channel(sendgrid.url)
        assert [delivered(sending, EMAIL).status for _ in range(2)] == ["sent"] * 2
        assert (len(sendgrid.requests), sendgrid.opened) == (2, 2)


def test_a_kept_connection_that_breaks_under_a_mail_leaves_it_uncertain_and_repeats_nothing():
    answers = iter([KEPT, Answer(breaks_off=True)])
    with provider(lambda _: next(answers)) as sendgrid:
        sending = channel(sendgrid.url)
        assert [delivered(sending, EMAIL).status for _ in range(2)] == ["sent", "uncertain"]
        assert (len(sendgrid.requests), sendgrid.opened) == (2, 1)


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_proxy")
def test_a_proxy_that_the_environment_names_is_asked(monkeypatch: pytest.MonkeyPatch):
    with provider(ACCEPTED) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "http://olga:p%40ss@"))
        assert delivered(channel("http://sendgrid.invalid"), EMAIL).status == "sent"
        monkeypatch.setenv("no_proxy", "sendgrid.invalid")
        assert delivered(channel("http://sendgrid.invalid"), EMAIL).status == "retry"
    (request,) = proxy.requests
    assert request.path == "http://sendgrid.invalid/v3/mail/send"
    told = {name.lower(): value for name, value in request.headers.items()}
    assert told["proxy-authorization"] == f"Basic {b64encode(b'olga:p@ss').decode()}"


@pytest.mark.usefixtures("no_proxy")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_away_is_retried(scheme: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(f"{scheme}_proxy", closed_address())
    assert delivered(channel(f"{scheme}://sendgrid.invalid"), EMAIL).status == "retry"


@pytest.mark.usefixtures("no_proxy")
def test_a_proxy_of_another_kind_is_refused_in_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("https_proxy", "socks5://olga:secret@127.0.0.1:1080")
    with pytest.raises(
        UserError, match=r"^https_proxy names a proxy of socks5; mails go through one of http or https$"
    ):
        channel("https://sendgrid.invalid")


def test_a_provider_whose_certificate_nobody_vouches_for_gets_no_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    certificate = self_signed(tmp_path)
    with provider(KEPT, certificate) as sendgrid:
        outcome = delivered(channel(sendgrid.url), EMAIL)
        assert (outcome.status, sendgrid.requests) == ("retry", [])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        sending = channel(sendgrid.url)
        assert [delivered(sending, EMAIL).status for _ in range(2)] == ["sent"] * 2
        assert (len(sendgrid.requests), sendgrid.opened) == (2, 2)


def test_an_answer_cut_short_is_uncertain():
    assert outcome_of(Answer(202, b"abc", claimed_length=5_000)).status == "uncertain"


@pytest.mark.parametrize("garbage", [b"\x00\x01\x02 not http\r\n\r\n", b"HTTP/9.9 what\r\n\r\n", b"\r\n"])
def test_an_answer_that_is_not_http_is_uncertain(garbage: bytes):
    assert outcome_of(Answer(body=garbage, is_garbage=True)).status == "uncertain"


@pytest.mark.parametrize("body", [b"<html>nope</html>", b"\xff\xfe", b"", b"[]", b'{"errors": 3}'])
def test_a_refusal_in_foreign_words_still_fails(body: bytes):
    assert outcome_of(Answer(400, body)).status == "failed"


def test_sendgrid_cannot_be_asked_whether_it_has_a_mail():
    with provider(ACCEPTED) as sendgrid:
        assert channel(sendgrid.url).find(EMAIL).state == "cannot_look"
        assert sendgrid.requests == []


def test_neither_key_nor_address_appears_in_a_log_an_outcome_or_a_repr(caplog: pytest.LogCaptureFixture):
    echo = refusal(f"no such key {KEY} for {EMAIL.recipient}")
    with caplog.at_level(logging.DEBUG), provider(Answer(401, echo)) as sendgrid:
        sender = channel(sendgrid.url)
        outcome = delivered(sender, EMAIL)
    told = f"{caplog.text}{outcome!r}{sender!r}{EMAIL!r}"
    assert "***" in told
    assert KEY not in told
    assert EMAIL.recipient not in told
