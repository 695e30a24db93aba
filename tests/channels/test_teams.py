"""Microsoft Teams: what is posted to a workflow's webhook, and what each answer means for the outbox."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from cs_pipeline.channels.message import Outcome
from cs_pipeline.channels.teams import TeamsChannel
from cs_pipeline.errors import UserError
from tests.builders.messages import TEAMS
from tests.fakes.provider import Answer, closed_address, deaf_address, provider

PATH = "/workflows/1/triggers/manual/paths/invoke?sig=token-in-the-address"


def channel(url: str, timeout_seconds: float = 5) -> TeamsChannel:
    return TeamsChannel(SecretStr(url + PATH), timeout_seconds=timeout_seconds, seconds_between=0)


def outcome_of(answer: Answer, timeout_seconds: float = 5) -> Outcome:
    with provider(answer) as teams:
        (outcome,) = channel(teams.url, timeout_seconds).deliver([TEAMS])
        assert len(teams.requests) == 1, "one delivery is one request"
        return outcome


def refusal(status: int, code: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": "for olga@example.com"}})


def test_a_message_is_one_card_under_its_key_in_which_its_person_is_mentioned():
    with provider(Answer(202)) as teams:
        assert channel(teams.url).deliver([TEAMS]) == [Outcome("sent")]
    request = teams.requests[0]
    assert (request.method, request.path) == ("POST", PATH)
    posted = request.json
    (attachment,) = posted["attachments"]
    assert (posted["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], card["version"], card["id"]) == ("AdaptiveCard", "1.4", TEAMS.action_key)
    assert card["fallbackText"] == "Acme needs you"
    to, *elements = card["body"]
    assert to["text"] == "<at>olga@example.com</at>"
    assert elements == TEAMS.payload["body"]
    (mention,) = card["msteams"]["entities"]
    assert mention["text"] == to["text"]
    assert mention["mentioned"]["id"] == "olga@example.com"


def test_what_is_for_the_team_mentions_nobody():
    with provider(Answer(202)) as teams:
        channel(teams.url).deliver([replace(TEAMS, recipient="#customer-success")])
    card = teams.requests[0].json["attachments"][0]["content"]
    assert card["body"][0]["text"] == "For #customer-success"
    assert card["msteams"]["entities"] == []


@pytest.mark.parametrize("status", [200, 202])
def test_a_workflow_with_and_without_an_answer_of_its_own_has_taken_the_message(status: int):
    assert outcome_of(Answer(status, {"any": "answer"})) == Outcome("sent")


def test_a_rate_limit_is_retried_when_teams_asks_or_soon():
    asked = outcome_of(Answer(429, headers={"Retry-After": "17"}))
    assert (asked.status, asked.retry_after) == ("retry", timedelta(seconds=17))
    assert outcome_of(refusal(429, "TooManyRequests")).retry_after == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "WorkflowTriggerIsNotEnabled"),
        (400, "TriggerInputSchemaMismatch"),
        (401, "DirectApiAuthorizationRequired"),
        (404, "WorkflowNotFound"),
        (307, ""),
    ],
)
def test_a_workflow_that_takes_nothing_from_us_pauses_the_channel(status: int, code: str):
    outcome = outcome_of(refusal(status, code))
    assert (outcome.status, outcome.cause) == ("retry", "channel")
    assert outcome.detail == f"Teams answered {status}" + (f": {code}" if code else "")


@pytest.mark.parametrize("answer", [refusal(413, "RequestEntityTooLarge"), Answer(400, b"Bad Request"), Answer(422)])
def test_a_refusal_of_the_message_fails(answer: Answer):
    assert outcome_of(answer).status == "failed"


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_is_uncertain_because_the_card_may_be_posted(status: int):
    assert outcome_of(Answer(status)).status == "uncertain"


@pytest.mark.parametrize("answer", [Answer(breaks_off=True), Answer(body=b"\x00 not http\r\n\r\n", is_garbage=True)])
def test_what_was_not_answered_is_uncertain_and_posted_once(answer: Answer):
    assert outcome_of(answer).status == "uncertain"
    assert outcome_of(Answer(hangs=True), timeout_seconds=0.3).status == "uncertain"


def test_nobody_listening_and_a_connection_that_never_comes_about_are_retried():
    with deaf_address() as deaf:
        for url in (closed_address(), deaf):
            (outcome,) = channel(url, timeout_seconds=0.3).deliver([TEAMS])
            assert (outcome.status, outcome.cause) == ("retry", "message")


def test_a_webhook_cannot_be_asked_whether_it_has_a_message():
    found = channel("http://127.0.0.1:1").find(TEAMS)
    assert found.state == "cannot_look"
    assert TEAMS.action_key in str(found.detail)


def test_neither_the_address_nor_a_person_appears_in_a_log_an_outcome_or_a_repr(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    answers = [refusal(400, "olga@example.com"), refusal(401, "AuthorizationFailed"), Answer(breaks_off=True)]
    told = [str(outcome_of(answer)) for answer in answers]
    with pytest.raises(UserError) as wrong:
        TeamsChannel(SecretStr("olga:geheim@hooks"))
    words = " ".join([*told, caplog.text, repr(channel("http://127.0.0.1:1")), str(wrong.value)])
    for secret in ("token-in-the-address", "olga@example.com", "geheim"):
        assert secret not in words


def test_posts_keep_the_distance_that_teams_asks_for(monkeypatch: pytest.MonkeyPatch):
    slept: list[float] = []
    monkeypatch.setattr("cs_pipeline.channels.teams.time.sleep", slept.append)
    with provider(Answer(202)) as teams:
        spaced = TeamsChannel(SecretStr(teams.url + PATH), seconds_between=60.0)
        spaced.deliver([TEAMS, TEAMS])
    assert len(slept) == 1
    assert 0 < slept[0] <= 60


def test_the_docs_name_every_code_that_pauses_the_channel():
    from cs_pipeline.channels.refusals import TEAMS as CODES

    docs = (Path(__file__).parents[2] / "docs" / "teams.md").read_text(encoding="utf-8")
    assert [code for code, meaning in CODES.items() if meaning == "channel" and code not in docs] == []


def test_unicode_travels_as_it_is():
    with provider(Answer(202)) as teams:
        channel(teams.url).deliver([replace(TEAMS, payload={"body": [{"type": "TextBlock", "text": "Zoë 日本 🚨"}]})])
    assert "Zoë 日本 🚨" in teams.requests[0].body.decode()
    assert json.loads(teams.requests[0].body)["type"] == "message"
