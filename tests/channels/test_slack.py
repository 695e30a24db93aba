"""Messages to Slack: posting, what each answer means for the outbox, and looking for what may have been posted."""

import json
import logging
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from cs_pipeline.channels.message import LookupResult, Message, Outcome
from cs_pipeline.channels.slack import SlackChannel
from tests.builders.messages import SLACK, delivered
from tests.fakes.provider import Answer, Request, closed_address, provider

TOKEN = "xoxb-super-secret"
PERSON = replace(SLACK, recipient="olga@example.com")


def channel(url: str, timeout_seconds: float = 5, seconds_between: float = 0) -> SlackChannel:
    return SlackChannel(
        SecretStr(TOKEN), base_url=url + "/api/", timeout_seconds=timeout_seconds, seconds_between=seconds_between
    )


class Workspace:
    """A Slack workspace with one person and two channels, which keeps what is posted."""

    def __init__(self, **answers: Answer) -> None:
        self.posts: list[dict] = []
        self.answers = answers

    def __call__(self, request: Request) -> Answer:
        method = request.path.rpartition("/")[2].partition("?")[0]
        if method in self.answers:
            return self.answers[method]
        return Answer(body={"ok": True, **getattr(self, method.replace(".", "_"))(request.fields)})

    def users_lookupByEmail(self, fields: dict) -> dict:
        return (
            {"user": {"id": "U1"}} if fields["email"] == PERSON.recipient else {"ok": False, "error": "users_not_found"}
        )

    def conversations_open(self, fields: dict) -> dict:
        return {"channel": {"id": "D" + fields["users"]}}

    def conversations_list(self, fields: dict) -> dict:
        if not fields.get("cursor"):
            return {"channels": [{"name": "general", "id": "C1"}], "response_metadata": {"next_cursor": "more"}}
        return {"channels": [{"name": "customer-success", "id": "C2"}], "response_metadata": {"next_cursor": ""}}

    def conversations_history(self, fields: dict) -> dict:
        return self._page([post for post in self._posts(fields) if not post.get("thread_ts")], fields)

    def conversations_replies(self, fields: dict) -> dict:
        return self._page([post for post in self._posts(fields) if post.get("thread_ts") == fields["ts"]], fields)

    def _posts(self, fields: dict) -> list[dict]:
        return [post for post in self.posts if post["channel"] in (fields["channel"], "#customer-success")]

    def _page(self, found: list[dict], fields: dict) -> dict:
        start = int(fields.get("cursor") or 0)
        more = str(start + 2) if start + 2 < len(found) else ""
        return {"messages": found[start : start + 2], "response_metadata": {"next_cursor": more}}

    def chat_postMessage(self, fields: dict) -> dict:
        metadata = fields["metadata"]
        metadata = json.loads(metadata) if isinstance(metadata, str) else metadata
        self.posts.append({**fields, "metadata": metadata, "ts": f"1700000000.{len(self.posts):06}"})
        known = {"#customer-success": "C2"}
        return {"channel": known.get(fields["channel"], fields["channel"]), "ts": self.posts[-1]["ts"]}


def outcome_of(answer: Answer, timeout_seconds: float = 5) -> Outcome:
    with provider(Workspace(**{"chat.postMessage": answer})) as slack:
        outcome = delivered(channel(slack.url, timeout_seconds), SLACK)
        assert len(slack.requests) == 1, "a post is never repeated by the channel itself"
        return outcome


def refused(code: str) -> Answer:
    return Answer(body={"ok": False, "error": code})


def test_a_message_to_a_channel_is_posted_with_its_blocks_and_our_key_in_its_metadata():
    workspace = Workspace()
    with provider(workspace) as slack:
        outcome = delivered(channel(slack.url), SLACK)
    assert outcome == Outcome("sent", provider_id="C2:1700000000.000000")
    post = workspace.posts[0]
    assert post["channel"] == "#customer-success"
    assert post["text"] == SLACK.subject
    blocks = post["blocks"] if isinstance(post["blocks"], list) else json.loads(post["blocks"])
    assert blocks == SLACK.payload["blocks"]
    assert post["metadata"] == {"event_type": "cs_pipeline_action", "event_payload": {"action_key": SLACK.action_key}}
    assert slack.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_message_of_a_thread_answers_there_and_a_new_play_is_shown_in_the_channel_as_well():
    workspace = Workspace()
    told = replace(SLACK, payload={**SLACK.payload, "thread": "C2:1690000000.000001", "is_broadcast": True})
    with provider(workspace) as slack:
        delivered(channel(slack.url), told)
    assert workspace.posts[0]["thread_ts"] == "1690000000.000001"
    assert workspace.posts[0]["reply_broadcast"] in (True, "true", "1")


def test_a_thread_whose_first_message_is_gone_does_not_stop_the_message():
    workspace = Workspace()

    def decide(request: Request) -> Answer:
        is_answer = request.path.endswith("chat.postMessage") and request.fields.get("thread_ts")
        return refused("thread_not_found") if is_answer else workspace(request)

    told = replace(SLACK, payload={**SLACK.payload, "thread": "C2:1690000000.000001"})
    with provider(decide) as slack:
        assert delivered(channel(slack.url), told).status == "sent"
    assert len(workspace.posts) == 1


def test_messages_to_one_channel_are_a_second_apart():
    workspace, moments = Workspace(), []

    def decide(request: Request) -> Answer:
        moments.append(time.monotonic())
        return workspace(request)

    with provider(decide) as slack:
        paced = channel(slack.url, seconds_between=1)
        paced.deliver([SLACK, replace(SLACK, action_key="2"), replace(SLACK, recipient="C9")])
    assert moments[1] - moments[0] >= 0.95
    assert len(workspace.posts) == 3


def test_what_was_posted_in_a_thread_is_found_there():
    workspace = Workspace()
    told = replace(SLACK, payload={**SLACK.payload, "thread": "C2:1690000000.000001"})
    with provider(workspace) as slack:
        sender = channel(slack.url)
        delivered(sender, told)
        assert sender.find(told) == LookupResult("found", provider_id="C2:1700000000.000000:1690000000.000001")


def test_a_mention_in_a_customers_name_notifies_nobody():
    workspace = Workspace()
    with provider(workspace) as slack:
        delivered(channel(slack.url), replace(SLACK, subject="<!channel> & Sons needs you"))
    assert workspace.posts[0]["text"] == "&lt;!channel&gt; &amp; Sons needs you"


def test_a_person_is_found_by_address_once_and_gets_a_direct_message():
    workspace = Workspace()
    with provider(workspace) as slack:
        sender = channel(slack.url)
        outcomes = [delivered(sender, PERSON), delivered(sender, replace(PERSON, action_key="another"))]
    assert [outcome.provider_id for outcome in outcomes] == ["DU1:1700000000.000000", "DU1:1700000000.000001"]
    assert [request.path for request in slack.requests].count("/api/users.lookupByEmail") == 1


@pytest.mark.parametrize("code", ["channel_not_found", "not_in_channel", "invalid_blocks", "msg_too_long"])
def test_a_refusal_inside_an_ok_answer_fails_with_slacks_word(code: str):
    assert outcome_of(refused(code)) == Outcome("failed", detail=f"Slack says {code}")


@pytest.mark.parametrize(
    "code",
    [
        "token_expired",
        "token_revoked",
        "invalid_auth",
        "account_inactive",
        "missing_scope",
        "accesslimited",
        "team_added_to_org",
    ],
)
@pytest.mark.parametrize("message", [SLACK, PERSON], ids=["channel", "person"])
def test_a_refusal_of_us_waits_whether_posting_or_looking_a_person_up(code: str, message: Message):
    with provider(lambda _: refused(code)) as slack:
        outcome = delivered(channel(slack.url), message)
    assert outcome == Outcome("retry", detail=f"Slack says {code}", cause="channel")


def test_a_code_that_slack_does_not_document_is_uncertain_after_a_post_and_waits_before_one():
    assert outcome_of(refused("brand_new_code")).status == "uncertain"
    with provider(lambda _: refused("brand_new_code")) as slack:
        assert delivered(channel(slack.url), PERSON).status == "retry"


@pytest.mark.parametrize("code", ["fatal_error", "internal_error", "service_unavailable"])
def test_an_error_after_which_the_message_may_stand_there_is_uncertain(code: str):
    assert outcome_of(refused(code)).status == "uncertain"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "30"}),
        Answer(429, b"", {"retry-after": "30"}),
        Answer(200, {"ok": False, "error": "ratelimited"}, {"Retry-After": "30"}),
        Answer(503, b"busy", {"Retry-After": "30"}),
    ],
)
def test_a_rate_limit_is_retried_when_slack_asks(answer: Answer):
    outcome = outcome_of(answer)
    assert (outcome.status, outcome.retry_after) == ("retry", timedelta(seconds=30))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_uncertain(status: int):
    assert outcome_of(Answer(status, b"<html>down</html>")).status == "uncertain"


def test_a_refusal_by_status_waits():
    assert outcome_of(Answer(403, b"no")).cause == "channel"


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1, 2]", b'"text"', b"", b'{"ok": true}', b"\xff\xfe\x00"])
def test_an_answer_that_is_not_slacks_is_uncertain(body: bytes):
    assert outcome_of(Answer(200, body)).status == "uncertain"


def test_an_answer_that_is_not_http_is_uncertain():
    assert outcome_of(Answer(body=b"\x00\x01 not http\r\n\r\n", is_garbage=True)).status == "uncertain"


def test_silence_after_the_request_was_written_is_uncertain():
    assert outcome_of(Answer(hangs=True), timeout_seconds=0.3).status == "uncertain"


def test_a_broken_connection_is_uncertain_and_not_posted_again():
    assert outcome_of(Answer(breaks_off=True)).status == "uncertain"


def test_nobody_listening_is_retried():
    assert delivered(channel(closed_address()), SLACK).status == "retry"


def test_a_person_whom_slack_does_not_know_fails():
    with provider(Workspace(**{"users.lookupByEmail": refused("users_not_found")})) as slack:
        assert delivered(channel(slack.url), PERSON) == Outcome("failed", detail="Slack says users_not_found")


@pytest.mark.parametrize("answer", [Answer(500, b""), Answer(hangs=True), Answer(breaks_off=True), Answer(200, b"?")])
def test_trouble_while_looking_a_person_up_is_retried_because_nothing_was_posted(answer: Answer):
    with provider(Workspace(**{"users.lookupByEmail": answer})) as slack:
        assert delivered(channel(slack.url, timeout_seconds=0.3), PERSON).status == "retry"


@pytest.mark.parametrize("message", [SLACK, PERSON])
def test_a_posted_message_is_found_among_many_by_its_key(message):
    workspace = Workspace()
    with provider(workspace) as slack:
        sender = channel(slack.url)
        for number in range(5):
            delivered(sender, replace(message, action_key=f"other/{number}"))
        posted = delivered(sender, message)
        finding = channel(slack.url).find(message)
    assert (finding.state, finding.provider_id) == ("found", posted.provider_id)


def test_a_message_that_was_never_posted_is_not_found():
    with provider(Workspace()) as slack:
        sender = channel(slack.url)
        delivered(sender, replace(SLACK, action_key="other"))
        assert sender.find(SLACK).state == "not_found"


def test_the_history_is_read_from_the_day_before_the_message_was_due():
    with provider(Workspace()) as slack:
        channel(slack.url).find(replace(SLACK, recipient="C2"))
    assert float(slack.requests[0].fields["oldest"]) == 1767571200.0  # 2026-01-05 00:00 UTC
    assert slack.requests[0].fields["include_all_metadata"] in ("1", True)


@pytest.mark.parametrize(
    "answer",
    [
        refused("missing_scope"),
        Answer(429, b""),
        Answer(500, b""),
        Answer(200, b"?"),
        Answer(200, b'{"ok": true}'),
        Answer(breaks_off=True),
    ],
)
def test_where_the_history_cannot_be_read_nothing_is_concluded(answer: Answer):
    with provider(Workspace(**{"conversations.history": answer})) as slack:
        assert channel(slack.url).find(SLACK).state == "cannot_look"


def test_a_channel_the_bot_cannot_see_cannot_be_looked_into():
    with provider(Workspace()) as slack:
        assert channel(slack.url).find(replace(SLACK, recipient="#secret")).state == "cannot_look"


def test_a_history_without_end_is_given_up_unknown():
    endless = Answer(body={"ok": True, "messages": [], "response_metadata": {"next_cursor": "again"}})
    with provider(Workspace(**{"conversations.history": endless})) as slack:
        assert channel(slack.url).find(SLACK).state == "cannot_look"


def test_neither_token_nor_address_appears_in_a_log_an_outcome_or_a_repr(caplog: pytest.LogCaptureFixture):
    echo = Answer(403, f"no {TOKEN} for {PERSON.recipient}".encode())
    with caplog.at_level(logging.DEBUG), provider(Workspace(**{"chat.postMessage": echo})) as slack:
        sender = channel(slack.url)
        outcome = delivered(sender, PERSON)
    told = f"{caplog.text}{outcome!r}{sender!r}{PERSON!r}"
    assert TOKEN not in told
    assert PERSON.recipient not in told
