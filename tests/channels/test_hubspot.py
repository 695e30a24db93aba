"""Tasks and deals in HubSpot: what is asked of it, what each answer means for the outbox, and what is read back."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import SecretStr

from cs_pipeline.channels.crm_api import REMOVED, RecordReading
from cs_pipeline.channels.hubspot import Deals, HubSpotChannel
from cs_pipeline.channels.message import Message, Outcome
from cs_pipeline.errors import UserError
from tests.builders.messages import CRM
from tests.fakes.hubspot_portal import ACCOUNT, KEY, TOKEN, Portal, refusal
from tests.fakes.provider import Answer, Provider, closed_address, deaf_address, provider

DEAL = replace(CRM, action_key="renewal_ladder/opportunity/acme/9", payload={"kind": "opportunity"})


def channel(url: str, timeout_seconds: float = 5) -> HubSpotChannel:
    deals = Deals("default", "appointmentscheduled")
    token = SecretStr(TOKEN)
    return HubSpotChannel(token, host=url, company_property=ACCOUNT, deals=deals, timeout_seconds=timeout_seconds)


@contextmanager
def connected(portal: Portal, timeout_seconds: float = 5) -> Iterator[tuple[HubSpotChannel, Provider]]:
    with provider(portal) as hubspot:
        yield channel(hubspot.url, timeout_seconds), hubspot


def numbered(number: int, message: Message = CRM) -> Message:
    return replace(message, action_key=f"red_save/call/acme/{number}")


def delivered(portal: Portal, messages: Sequence[Message] = (CRM,), timeout_seconds: float = 5) -> list[Outcome]:
    with connected(portal, timeout_seconds) as (hubspot, _):
        return hubspot.deliver(messages)


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def test_a_task_is_created_as_the_message_says_for_its_company_and_owner():
    portal = Portal()
    assert delivered(portal) == [Outcome("sent", provider_id="hubspot/task/1000")]
    assert portal.records["tasks"] == {
        "1000": {
            KEY: CRM.action_key,
            "hs_task_subject": "Call Acme",
            "hs_task_body": "Find the root cause.",
            "hs_timestamp": "2026-01-06T12:00:00+00:00",
            "hs_task_status": "NOT_STARTED",
            "hs_task_priority": "HIGH",
            "hs_task_type": "TODO",
            "hubspot_owner_id": "71",
        }
    }
    assert portal.associations == {("tasks", "1000"): "9001"}


def test_an_opportunity_is_a_deal_in_the_stage_that_is_set():
    portal = Portal()
    assert delivered(portal, [CRM, DEAL]) == [
        Outcome("sent", provider_id="hubspot/task/1000"),
        Outcome("sent", provider_id="hubspot/opportunity/1000"),
    ]
    deal = portal.records["deals"]["1000"]
    assert (deal["dealname"], deal["pipeline"], deal["dealstage"]) == ("Call Acme", "default", "appointmentscheduled")
    assert deal["closedate"].startswith("2026-01-06T")
    assert portal.associations["deals", "1000"] == "9001"


@pytest.mark.parametrize(
    ("priority", "there"), [("low", "LOW"), ("normal", "MEDIUM"), ("high", "HIGH"), ("urgent", "HIGH")]
)
def test_priorities_are_hubspots(priority: str, there: str):
    portal = Portal()
    delivered(portal, [replace(CRM, payload={"priority": priority})])
    assert portal.records["tasks"]["1000"]["hs_task_priority"] == there


def test_text_stays_text_in_a_body_that_hubspot_shows_as_html():
    portal = Portal()
    delivered(portal, [replace(CRM, body_text="Ask <b>Ada</b>\nabout <script>")])
    body = portal.records["tasks"]["1000"]["hs_task_body"]
    assert body == "Ask &lt;b&gt;Ada&lt;/b&gt;<br>about &lt;script&gt;"


def test_a_hundred_records_are_as_many_requests_as_one():
    with connected(Portal()) as (hubspot, listening):
        hubspot.deliver([CRM])
        for_one = len(listening.requests)
    with connected(Portal()) as (hubspot, listening):
        assert hubspot.batch_size == 100
        outcomes = hubspot.deliver([numbered(number) for number in range(100)])
        assert len(listening.requests) == for_one == 5
    assert {outcome.provider_id for outcome in outcomes} == {f"hubspot/task/{1000 + number}" for number in range(100)}


def test_owners_are_asked_for_once_a_channel_whatever_the_number_of_pages():
    portal = Portal(owners_a_page=1)
    with connected(portal) as (hubspot, listening):
        for number, assignee in enumerate(("mara@example.com", "OLGA@example.com")):
            hubspot.deliver([replace(numbered(number), recipient=assignee)])
        assert sum("/owners/" in request.path for request in listening.requests) == 2
    assert [task["hubspot_owner_id"] for task in portal.records["tasks"].values()] == ["72", "71"]


def test_delivering_again_changes_nothing_not_even_what_a_person_did_meanwhile():
    portal = Portal()
    with connected(portal) as (hubspot, _):
        first = hubspot.deliver([CRM])
        portal.records["tasks"]["1000"] |= {"hs_task_status": "COMPLETED", "hubspot_owner_id": "72"}
        assert hubspot.deliver([replace(CRM, subject="Other words")]) == first
    task = portal.records["tasks"]["1000"]
    assert (task["hs_task_status"], task["hubspot_owner_id"], task["hs_task_subject"]) == (
        "COMPLETED",
        "72",
        "Call Acme",
    )
    assert len(portal.records["tasks"]) == 1


def test_a_missing_company_fails_in_words_and_holds_up_nobody_else():
    outcomes = delivered(Portal(), [replace(numbered(1), account_id="gone"), numbered(2)])
    assert statuses(outcomes) == ["failed", "sent"]
    assert outcomes[0].detail == f"HubSpot has no company whose {ACCOUNT} is gone"


def test_a_task_for_somebody_hubspot_does_not_know_is_created_without_an_owner_and_says_so():
    portal = Portal()
    (outcome,) = delivered(portal, [replace(CRM, recipient="#customer-success")])
    assert (outcome.status, outcome.detail) == ("sent", "nobody in HubSpot has the assignee's address")
    assert "hubspot_owner_id" not in portal.records["tasks"]["1000"]


@pytest.mark.parametrize("refused_with", [None, 400, 409])
def test_one_unsound_record_fails_alone_whether_hubspot_says_which_it_is_or_refuses_the_batch(refused_with: int | None):
    portal = Portal(batches_refused_with=refused_with)
    outcomes = delivered(portal, [numbered(1), replace(numbered(2), subject="unsound"), numbered(3)])
    assert statuses(outcomes) == ["sent", "failed", "sent"]
    assert "A title must be sound; write to ***" in (outcomes[1].detail or "")
    assert len(portal.associations) == 2


def test_a_kind_that_hubspot_does_not_have_fails():
    assert statuses(delivered(Portal(), [replace(CRM, payload={"kind": "poem"}), numbered(2)])) == ["failed", "sent"]


REQUESTS = ("/companies/batch/read", "/owners/", "/tasks/batch/read", "/tasks/batch/upsert", "/associations/")


@pytest.mark.parametrize("part", REQUESTS)
def test_a_rate_limit_on_any_request_is_retried_when_hubspot_asks(part: str):
    portal = Portal(instead={part: refusal(429, "You have reached your secondly limit.", {"Retry-After": "10"})})
    (outcome,) = delivered(portal)
    assert (outcome.status, outcome.retry_after) == ("retry", timedelta(seconds=10))


def test_a_used_up_day_is_waited_for():
    said = {"message": "You have reached your daily limit.", "errorType": "RATE_LIMIT", "policyName": "DAILY"}
    (outcome,) = delivered(Portal(instead={"upsert": Answer(429, said)}))
    assert (outcome.status, outcome.retry_after) == ("retry", timedelta(hours=3)), "so the outbox tries for a day"


@pytest.mark.parametrize("part", REQUESTS)
@pytest.mark.parametrize(
    "broken",
    [
        Answer(500, b"oops"),
        Answer(503, {"message": "busy"}),
        Answer(breaks_off=True),
        Answer(200, b"<html>nope</html>"),
        Answer(200, {"results": [{"something": "else"}]}),
        Answer(200, {"results": None}),
        Answer(500, b"\xff\xfe"),
    ],
    ids=["500", "503", "breaks off", "not json", "foreign results", "no results", "not text"],
)
def test_a_broken_exchange_is_retried_and_leaves_one_record(part: str, broken: Answer):
    portal = Portal(instead={part: broken})
    with connected(portal) as (hubspot, _):
        (outcome,) = hubspot.deliver([CRM])
        assert (outcome.status, outcome.retry_after) == ("retry", timedelta(minutes=1))
        portal.instead.clear()
        assert statuses(hubspot.deliver([CRM])) == ["sent"]
    assert (len(portal.records["tasks"]), len(portal.associations)) == (1, 1)


def test_a_record_that_was_accepted_behind_a_broken_answer_is_there_once():
    portal = Portal()

    def accepts_and_breaks_off(request) -> Answer:
        answer = portal(request)
        return Answer(breaks_off=True) if "upsert" in request.path else answer

    with provider(accepts_and_breaks_off) as hubspot:
        assert statuses(channel(hubspot.url).deliver([CRM])) == ["retry"]
    assert delivered(portal) == [Outcome("sent", provider_id="hubspot/task/1000")]
    assert (len(portal.records["tasks"]), len(portal.associations)) == (1, 1)


def test_silence_is_retried():
    assert statuses(delivered(Portal(instead={"upsert": Answer(hangs=True)}), timeout_seconds=0.3)) == ["retry"]


def test_nobody_listening_and_a_connection_that_never_comes_about_are_retried():
    assert statuses(channel(closed_address()).deliver([CRM])) == ["retry"]
    with deaf_address() as url:
        assert statuses(channel(url, timeout_seconds=0.3).deliver([CRM])) == ["retry"]


@pytest.mark.parametrize("part", REQUESTS)
@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_a_refusal_of_us_waits_with_hubspots_words(part: str, status: int):
    (outcome,) = delivered(Portal(instead={part: refusal(status, "This app lacks a scope.")}))
    assert (outcome.status, outcome.cause) == ("retry", "channel")
    assert f"HubSpot answered {status}: This app lacks a scope." in (outcome.detail or "")


def test_a_redirect_is_not_followed_and_waits():
    with provider(Portal()) as elsewhere:
        away = Answer(307, b"", {"Location": f"{elsewhere.url}/crm/v3/objects/tasks/batch/upsert"})
        assert statuses(delivered(Portal(instead={"upsert": away}))) == ["retry"]
        assert elsewhere.requests == []


def test_records_of_which_the_answer_says_nothing_are_retried():
    portal = Portal(instead={"upsert": Answer(200, {"results": []})})
    with connected(portal) as (hubspot, listening):
        outcomes = hubspot.deliver([numbered(number) for number in range(5)])
        assert sum("upsert" in request.path for request in listening.requests) == 2, "one alone has shown enough"
    assert statuses(outcomes) == ["retry"] * 5


def test_a_record_that_could_not_be_linked_to_its_company_says_so():
    answer = Answer(
        207, {"results": [], "errors": [{"category": "VALIDATION_ERROR", "message": "Too many associations"}]}
    )
    (outcome,) = delivered(Portal(instead={"/associations/": answer}))
    assert (outcome.status, outcome.provider_id) == ("failed", "hubspot/task/1000")
    assert outcome.detail == "created, but not linked to its company: HubSpot says Too many associations"


@pytest.mark.parametrize("errors", [[{"category": "RATE_LIMITS", "message": "slow down"}], []])
def test_a_record_that_is_not_linked_yet_is_retried(errors: list[dict]):
    (outcome,) = delivered(Portal(instead={"/associations/": Answer(207, {"results": [], "errors": errors})}))
    assert (outcome.status, outcome.provider_id) == ("retry", "hubspot/task/1000")


def test_a_record_is_found_by_its_key_and_no_other():
    with connected(Portal()) as (hubspot, _):
        (outcome,) = hubspot.deliver([CRM])
        found = hubspot.find(CRM)
        assert (found.state, found.provider_id) == ("found", outcome.provider_id)
        assert hubspot.find(numbered(2)).state == "not_found"
        assert hubspot.find(DEAL).state == "not_found"


def test_a_record_that_lost_its_company_on_the_way_is_not_found_and_completed_when_delivered_again():
    portal = Portal()
    with connected(portal) as (hubspot, _):
        hubspot.deliver([CRM])
        portal.associations.clear()
        assert hubspot.find(CRM).state == "not_found"
        hubspot.deliver([CRM])
        assert hubspot.find(CRM).state == "found"
    assert len(portal.records["tasks"]) == 1


def test_where_hubspot_does_not_answer_nothing_is_known():
    portal = Portal(instead={"/tasks/batch/read": Answer(500, b"oops")})
    with connected(portal) as (hubspot, _):
        assert hubspot.find(CRM).state == "cannot_look"


@pytest.mark.requirement("S4-187")
def test_what_became_of_records_is_read_back():
    portal = Portal()
    with connected(portal) as (hubspot, _):
        hubspot.deliver([CRM, numbered(2), numbered(3), DEAL])
        tasks = portal.records["tasks"]
        tasks["1001"] |= {"hs_task_status": "COMPLETED", "hs_task_completion_date": "2026-01-07T15:30:00.250Z"}
        tasks["1001"]["hubspot_owner_id"] = "72"
        del tasks["1002"]
        portal.records["deals"]["1000"] |= {"hs_is_closed": "true", "closedate": "2026-02-01T12:00:00Z"}
        names = [f"hubspot/task/{number}" for number in (1000, 1001, 1002)]
        readings = hubspot.read([*names, "hubspot/opportunity/1000"])
    assert readings == {
        names[0]: RecordReading("open", "olga@example.com", date(2026, 1, 6)),
        names[1]: RecordReading(
            "completed", "mara@example.com", date(2026, 1, 6), datetime(2026, 1, 7, 15, 30, 0, 250_000, UTC)
        ),
        names[2]: REMOVED,
        "hubspot/opportunity/1000": RecordReading(
            "completed", "olga@example.com", date(2026, 2, 1), datetime(2026, 2, 1, 12, tzinfo=UTC)
        ),
    }


def test_records_are_read_a_hundred_at_a_time():
    portal = Portal()
    with connected(portal) as (hubspot, listening):
        for start in (0, 100, 200):
            hubspot.deliver([numbered(number) for number in range(start, min(start + 100, 250))])
        before = len(listening.requests)
        readings = hubspot.read([f"hubspot/task/{1000 + number}" for number in range(250)])
        assert len(listening.requests) - before == 3
    assert {reading.status for reading in readings.values()} == {"open"}


@pytest.mark.parametrize(
    "answer",
    [refusal(403, "This app lacks a scope."), Answer(500, b""), Answer(200, b"<html>"), Answer(breaks_off=True)],
)
def test_what_cannot_be_read_back_is_an_error_in_words(answer: Answer):
    portal = Portal(instead={"/tasks/batch/read": answer})
    with connected(portal) as (hubspot, _), pytest.raises(UserError, match="Tasks cannot be read back: HubSpot"):
        hubspot.read(["hubspot/task/1"])


def test_a_day_that_is_none_is_an_error_in_words():
    result = {"id": "1", "properties": {"hs_timestamp": "the day after tomorrow"}}
    portal = Portal(instead={"/tasks/batch/read": Answer(200, {"results": [result]})})
    with connected(portal) as (hubspot, _), pytest.raises(UserError, match="a day that is none"):
        hubspot.read(["hubspot/task/1"])


@pytest.mark.parametrize("part", REQUESTS)
def test_neither_token_nor_address_appears_in_a_log_an_outcome_or_a_repr(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture, part: str
):
    echo = refusal(400, f"bad token {TOKEN} for {CRM.recipient} and 'hubspot_owner_id'={CRM.recipient}")
    with caplog.at_level(logging.DEBUG), connected(Portal(instead={part: echo})) as (hubspot, listening):
        outcomes = hubspot.deliver([CRM])
        told = f"{outcomes!r}{hubspot!r}{hubspot.find(CRM)!r}"
    with caplog.at_level(logging.DEBUG):
        told += repr(channel(listening.url).deliver([CRM]))
    told += f"{caplog.text}{capsys.readouterr()}"
    assert "***" in told
    assert TOKEN not in told
    assert CRM.recipient not in told
