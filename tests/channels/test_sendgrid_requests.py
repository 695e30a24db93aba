"""Mails of one step travel together: every person reads what was written for them, within SendGrid's limits."""

import base64
import json
from collections import Counter
from dataclasses import replace

import hypothesis
import hypothesis.strategies as st
import pytest
from pydantic import SecretStr

from cs_pipeline.channels.message import Message, Picture
from cs_pipeline.channels.sendgrid import SendGridChannel
from cs_pipeline.channels.sendgrid_requests import Sending, requests
from cs_pipeline.settings import Settings
from tests.builders.messages import CRM, EMAIL
from tests.fakes.provider import Answer, Request, provider
from tests.fakes.sendgrid_api import Received, SendGridApi

KEY = "SG.secret"


def channel(url: str, **sending: object) -> SendGridChannel:
    return SendGridChannel(SecretStr(KEY), host=url, sending=Sending("success@example.com", **sending))  # pyright: ignore


def mail(number: int, name: str = "Ada", **values: object) -> Message:
    return replace(
        EMAIL,
        action_key=f"yellow_adoption/quick_guide/{number}",
        recipient=f"reader{number}@example.org",
        subject=f"{name}, a quick guide",
        body_text=f"Hello {name},\nhere is a guide.\nYours\n",
        body_html=f"<html><body><p>Hello {name},</p><p title='{name}'>here is a guide.</p></body></html>",
        **values,
    )


def as_read(message: Message) -> Received:
    url = message.payload.get("unsubscribe_url")
    return Received(
        message.recipient, message.subject, message.body_text, message.body_html, message.action_key, f"<{url}>"
    )


def in_order(inbox: list[Received]) -> list[Received]:
    return sorted(inbox, key=lambda received: received.action_key)


def test_mails_of_one_step_are_one_request_and_every_person_reads_their_own():
    messages = [mail(number, name) for number, name in enumerate(["Ada", "Grace", "Žofia-cs", "-cs0.1-"])]
    api = SendGridApi(KEY)
    with provider(api) as sendgrid:
        outcomes = channel(sendgrid.url).deliver(messages)
    assert [outcome.provider_id for outcome in outcomes] == ["sg-1"] * 4
    assert (len(sendgrid.requests), api.refused) == (1, [])
    assert in_order(api.inbox) == [as_read(message) for message in messages]


def headers_of(message: Message, **sending: object) -> dict[str, str]:
    ((_, request),) = requests([message], Sending("success@example.com", **sending))  # pyright: ignore
    return request.get()["personalizations"][0].get("headers", {})


def test_readers_unsubscribe_with_one_click_where_the_teams_page_takes_it():
    assert headers_of(EMAIL, is_one_click=True) == {
        "List-Unsubscribe": "<https://example.com/unsubscribe?message=7>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert headers_of(EMAIL) == {"List-Unsubscribe": "<https://example.com/unsubscribe?message=7>"}


@pytest.mark.parametrize("sending", [{"is_one_click": True}, {"is_one_click": True, "unsubscribe_group": 7}])
def test_mail_to_us_and_mail_of_a_group_have_no_unsubscribe_header_of_ours(sending: dict[str, object]):
    to_us = replace(EMAIL, payload={k: v for k, v in EMAIL.payload.items() if k != "unsubscribe_url"})
    assert headers_of(to_us, **sending) == {}
    assert headers_of(EMAIL, unsubscribe_group=7, is_one_click=True) == {}


def test_one_click_needs_a_link_that_is_safe_on_its_way():
    http = replace(EMAIL, payload={**EMAIL.payload, "unsubscribe_url": "http://example.com/u?message=7"})
    assert headers_of(http, is_one_click=True) == {"List-Unsubscribe": "<http://example.com/u?message=7>"}
    with pytest.raises(ValueError, match="CS_PIPELINE_UNSUBSCRIBE_URL that starts with https"):
        Settings(unsubscribe_url="http://example.com/u", unsubscribe_one_click=True)


TEXTS = st.text(st.sampled_from("ab<>&-\n cs0.1'\"é%{}"), max_size=12)
MAILS = st.builds(
    lambda number, address, subject, text, html, sender: replace(
        EMAIL,
        action_key=f"play/step/{number}",
        recipient=f"{address}@example.org",
        subject=f"s{subject}",
        body_text=f"t{text}",
        body_html=f"<p>{html}</p>",
        payload={**EMAIL.payload, "reply_to": sender},
    ),
    st.integers(0, 10**6),
    st.sampled_from("abcdefgh"),
    TEXTS,
    TEXTS,
    TEXTS,
    st.sampled_from(["olga@example.com", None]),
)


@hypothesis.given(st.lists(MAILS, max_size=12, unique_by=lambda message: message.action_key))
def test_whatever_mails_go_together_nobody_reads_anything_else(messages: list[Message]):
    api = SendGridApi(KEY)
    carried: list[int] = []
    for places, request in requests(messages, Sending("success@example.com")):
        body = Request("/v3/mail/send", {"Authorization": f"Bearer {KEY}"}, json.dumps(request.get()).encode())
        assert api(body).status == 202, api.refused
        carried += places
    assert sorted(carried) == list(range(len(messages)))
    assert in_order(api.inbox) == in_order([as_read(message) for message in messages])


def test_requests_stay_within_sendgrids_limits():
    messages = [mail(number) for number in range(450)]
    api = SendGridApi(KEY)
    with provider(api) as sendgrid:
        outcomes = channel(sendgrid.url).deliver(messages)
    assert Counter(outcome.status for outcome in outcomes) == {"sent": 450}
    assert {received.action_key for received in api.inbox} == {message.action_key for message in messages}
    assert len(sendgrid.requests) < 10


def test_two_mails_to_one_address_are_two_requests():
    messages = [mail(0), replace(mail(1), recipient="READER0@example.org")]
    api = SendGridApi(KEY)
    with provider(api) as sendgrid:
        channel(sendgrid.url).deliver(messages)
    assert (len(sendgrid.requests), api.refused) == (2, [])


def test_mails_to_different_owners_are_answered_to_each_of_them():
    messages = [mail(0), mail(1, payload={**EMAIL.payload, "reply_to": "max@example.com"})]
    with provider(SendGridApi(KEY)) as sendgrid:
        channel(sendgrid.url).deliver(messages)
    assert [request.json["reply_to"]["email"] for request in sendgrid.requests] == [
        "olga@example.com",
        "max@example.com",
    ]


def test_one_address_that_sendgrid_refuses_stops_nobody_elses_mail():
    messages = [mail(0), replace(mail(1), recipient="no address"), mail(2)]
    api = SendGridApi(KEY)
    with provider(api) as sendgrid:
        outcomes = channel(sendgrid.url).deliver(messages)
    assert [outcome.status for outcome in outcomes] == ["sent", "failed", "sent"]
    assert "no address" not in (outcomes[1].detail or "")
    assert [received.address for received in in_order(api.inbox)] == ["reader0@example.org", "reader2@example.org"]


def test_nothing_more_is_asked_once_sendgrid_asks_to_wait():
    messages = [mail(0), mail(1, payload={**EMAIL.payload, "reply_to": "max@example.com"})]
    with provider(Answer(429, headers={"Retry-After": "30"})) as sendgrid:
        outcomes = channel(sendgrid.url).deliver(messages)
    assert ([outcome.status for outcome in outcomes], len(sendgrid.requests)) == (["retry", "retry"], 1)


def test_nothing_more_is_asked_once_sendgrid_does_not_answer():
    messages = [mail(0), mail(1, payload={**EMAIL.payload, "reply_to": "max@example.com"})]
    with provider(Answer(breaks_off=True)) as sendgrid:
        outcomes = channel(sendgrid.url).deliver(messages)
    assert ([outcome.status for outcome in outcomes], len(sendgrid.requests)) == (["uncertain", "retry"], 1)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_sendgrid_does_not_take_is_tried_once_a_request(status: int):
    with provider(Answer(status, {"errors": [{"message": "no"}]})) as sendgrid:
        outcomes = channel(sendgrid.url).deliver([mail(0), mail(1)])
    assert ([outcome.status for outcome in outcomes], len(sendgrid.requests)) == (["retry", "retry"], 1)


def test_a_request_that_breaks_off_leaves_all_its_mails_uncertain():
    with provider(Answer(breaks_off=True)) as sendgrid:
        outcomes = channel(sendgrid.url).deliver([mail(0), mail(1)])
    assert ([outcome.status for outcome in outcomes], len(sendgrid.requests)) == (["uncertain", "uncertain"], 1)


def test_customer_mail_belongs_to_the_unsubscribe_group_and_mail_to_us_does_not():
    ours = replace(mail(1), payload={**EMAIL.payload, "unsubscribe_url": None})
    api = SendGridApi(KEY)
    with provider(api) as sendgrid:
        channel(sendgrid.url, unsubscribe_group=12).deliver([mail(0), ours])
    assert [request.json.get("asm") for request in sendgrid.requests] == [{"group_id": 12}, None]
    assert [received.unsubscribe for received in api.inbox] == [None, None]


def test_a_sandbox_checks_the_mail_and_sends_none():
    api = SendGridApi(KEY)
    with provider(api) as sendgrid:
        sandbox = channel(sendgrid.url, is_sandbox=True)
        outcomes = sandbox.deliver([mail(0), replace(CRM, recipient="nobody", body_html=None)])
    assert [outcome.status for outcome in outcomes] == ["sent", "failed"]
    assert (api.checked, api.inbox) == (1, [])


def test_a_mail_carries_its_pictures_inline_and_others_do_not_get_them():
    picture = Picture("arr_at_risk", "ARR at risk rose", b"\x89PNG\r\n\x1a\nrisk")
    html = '<html><body><img src="cid:arr_at_risk" alt="ARR at risk rose"></body></html>'
    report = replace(mail(1), body_html=html)
    api = SendGridApi(KEY)
    with provider(api) as sendgrid:
        channel(sendgrid.url).deliver([replace(report, pictures=(picture,)), mail(2)])
    assert (len(sendgrid.requests), api.refused) == (2, [])
    (attachment,) = sendgrid.requests[0].json["attachments"]
    assert base64.b64decode(attachment.pop("content")) == picture.png
    assert attachment == {
        "filename": "arr_at_risk.png",
        "type": "image/png",
        "disposition": "inline",
        "content_id": "arr_at_risk",
    }
    assert "attachments" not in sendgrid.requests[1].json
