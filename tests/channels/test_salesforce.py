"""Tasks and opportunities in Salesforce: what is asked of it, what each answer means, and what is read back."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import SecretStr

from cs_pipeline.channels.crm_api import REMOVED, RecordReading
from cs_pipeline.channels.message import Message, Outcome
from cs_pipeline.channels.salesforce import SalesforceChannel
from cs_pipeline.errors import UserError
from tests.builders.messages import CRM
from tests.fakes.provider import Answer, Provider, closed_address, deaf_address, provider
from tests.fakes.salesforce_org import (
    ACCOUNT,
    CLIENT_ID,
    DOMAIN,
    KEY,
    SECRET,
    SESSION,
    Org,
    over_http,
    refusal,
)

OPPORTUNITY = replace(CRM, action_key="renewal_ladder/opportunity/acme/9", payload={"kind": "opportunity"})


def channel(timeout_seconds: float = 5, secret: str = SECRET) -> SalesforceChannel:
    return SalesforceChannel(
        DOMAIN,
        CLIENT_ID,
        SecretStr(secret),
        account_field=ACCOUNT,
        stage="Prospecting",
        timeout_seconds=timeout_seconds,
    )


@contextmanager
def connected(org: Org, timeout_seconds: float = 5) -> Iterator[tuple[SalesforceChannel, Provider]]:
    with provider(org) as listening, over_http(listening.url):
        yield channel(timeout_seconds), listening


def numbered(number: int, message: Message = CRM) -> Message:
    return replace(message, action_key=f"red_save/call/acme/{number}")


def delivered(org: Org, messages: Sequence[Message] = (CRM,), timeout_seconds: float = 5) -> list[Outcome]:
    with connected(org, timeout_seconds) as (salesforce, _):
        return salesforce.deliver(messages)


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def test_a_task_is_created_as_the_message_says_for_its_account_and_owner():
    org = Org()
    assert delivered(org) == [Outcome("sent", provider_id="salesforce/task/00T0")]
    assert org.records["Task"] == {
        "00T0": {
            "attributes": {"type": "Task"},
            KEY: CRM.action_key,
            "Subject": "Call Acme",
            "Description": "Find the root cause.",
            "ActivityDate": "2026-01-06",
            "Priority": "High",
            "Status": "Not Started",
            "WhatId": "001A",
            "OwnerId": "005O",
        }
    }


def test_an_opportunity_is_created_in_the_stage_that_is_set():
    org = Org()
    outcomes = delivered(org, [CRM, replace(OPPORTUNITY, subject="x" * 200)])
    assert outcomes == [
        Outcome("sent", provider_id="salesforce/task/00T0"),
        Outcome("sent", provider_id="salesforce/opportunity/0060"),
    ]
    opportunity = org.records["Opportunity"]["0060"]
    assert (opportunity["CloseDate"], opportunity["StageName"]) == ("2026-01-06", "Prospecting")
    assert opportunity["AccountId"] == "001A"
    assert opportunity["Name"] == "x" * 119 + "…"


@pytest.mark.parametrize(
    ("priority", "there"), [("low", "Low"), ("normal", "Normal"), ("high", "High"), ("urgent", "High")]
)
def test_priorities_are_salesforces(priority: str, there: str):
    org = Org()
    delivered(org, [replace(CRM, payload={"priority": priority})])
    assert org.records["Task"]["00T0"]["Priority"] == there


def test_two_hundred_records_are_written_in_one_request():
    with connected(Org()) as (salesforce, listening):
        assert salesforce.batch_size == 200
        outcomes = salesforce.deliver([numbered(number) for number in range(200)])
        assert sum(request.method == "PATCH" for request in listening.requests) == 1
        assert len(listening.requests) == 5  # log in, accounts, users, what is there, write
    assert statuses(outcomes) == ["sent"] * 200


def test_long_keys_are_looked_for_in_addresses_that_salesforce_takes():
    with connected(Org()) as (salesforce, listening):
        long = [numbered(number, CRM) for number in range(200)]
        outcomes = salesforce.deliver([replace(each, action_key=f"{each.action_key}/{'ä' * 60}") for each in long])
        assert max(len(request.path) for request in listening.requests) < 16_384
    assert statuses(outcomes) == ["sent"] * 200


def test_somebody_logs_in_once_a_channel_and_again_when_the_session_ends():
    org = Org()
    with connected(org) as (salesforce, listening):
        salesforce.deliver([numbered(1)])
        salesforce.deliver([numbered(2)])
        assert org.sessions == 1
        assert sum("User" in request.path for request in listening.requests) == 1
        org.has_ended = True
        assert statuses(salesforce.deliver([numbered(3)])) == ["sent"]
        assert org.sessions == 2


def test_delivering_again_changes_nothing_not_even_what_a_person_did_meanwhile():
    org = Org()
    with connected(org) as (salesforce, _):
        first = salesforce.deliver([CRM])
        org.records["Task"]["00T0"] |= {"Status": "Completed", "Subject": "Called"}
        assert salesforce.deliver([CRM]) == first
    assert org.records["Task"]["00T0"]["Status"] == "Completed"
    assert len(org.records["Task"]) == 1


def test_a_missing_account_fails_in_words_and_holds_up_nobody_else():
    outcomes = delivered(Org(), [replace(numbered(1), account_id="gone"), numbered(2)])
    assert statuses(outcomes) == ["failed", "sent"]
    assert outcomes[0].detail == f"Salesforce has no account, or several, whose {ACCOUNT} is gone"


def test_a_task_for_somebody_salesforce_does_not_know_is_created_for_the_app_and_says_so():
    org = Org()
    (outcome,) = delivered(org, [replace(CRM, recipient="#customer-success")])
    assert (outcome.status, outcome.detail) == (
        "sent",
        "nobody in Salesforce has the assignee's address, or several have",
    )
    assert "OwnerId" not in org.records["Task"]["00T0"]


def test_an_account_or_an_owner_of_whom_there_are_two_is_not_guessed():
    assert statuses(delivered(Org(doubled={"acme"}))) == ["failed"]
    org = Org(doubled={"olga@example.com"})
    assert statuses(delivered(org)) == ["sent"]
    assert "OwnerId" not in org.records["Task"]["00T0"]


def test_an_address_with_a_quote_is_a_value_and_no_query():
    org = Org()
    assert statuses(delivered(org, [replace(CRM, recipient="O'Hara@example.com")])) == ["sent"]
    assert org.records["Task"]["00T0"]["OwnerId"] == "005H"
    assert statuses(delivered(Org(), [replace(CRM, action_key="') OR Id != '")])) == ["sent"]


def test_each_refusal_is_that_of_its_own_record():
    refused = {
        numbered(1).action_key: ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Write to olga@example.com first"),
        numbered(3).action_key: ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"),
    }
    outcomes = delivered(Org(refused=refused), [numbered(number) for number in range(1, 5)])
    assert statuses(outcomes) == ["failed", "sent", "retry", "sent"]
    assert outcomes[0].detail == "Salesforce says FIELD_CUSTOM_VALIDATION_EXCEPTION: Write to *** first"


def test_a_kind_that_salesforce_does_not_have_fails():
    assert statuses(delivered(Org(), [replace(CRM, payload={"kind": "poem"}), numbered(2)])) == ["failed", "sent"]


REQUESTS = ("oauth2/token", "FROM Account", "FROM User", "FROM Task", "PATCH")


@pytest.mark.parametrize("part", REQUESTS)
def test_a_rate_limit_on_any_request_is_retried_when_salesforce_asks(part: str):
    limited = refusal(429, "TOO_MANY_REQUESTS", "slow down", {"retry-after": "10"})
    (outcome,) = delivered(Org(instead={part: limited}))
    assert (outcome.status, outcome.retry_after) == ("retry", timedelta(seconds=10))


def test_a_used_up_allowance_is_retried_although_it_says_forbidden():
    limit = refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    (outcome,) = delivered(Org(instead={"PATCH": limit}))
    assert (outcome.status, outcome.retry_after) == ("retry", timedelta(hours=3)), "so the outbox tries for a day"


@pytest.mark.parametrize("part", REQUESTS)
@pytest.mark.parametrize(
    "broken",
    [
        Answer(500, b"oops"),
        refusal(503, "SERVER_UNAVAILABLE", "busy"),
        Answer(breaks_off=True),
        Answer(200, b"<html>nope</html>"),
        Answer(200, {"something": "else"}),
        Answer(200, [{"something": "else"}]),
        Answer(200, []),
        Answer(200, b"\xff\xfe"),
    ],
    ids=["500", "503", "breaks off", "not json", "foreign", "foreign list", "empty list", "not text"],
)
def test_a_broken_exchange_is_retried_and_leaves_one_record(part: str, broken: Answer):
    org = Org(instead={part: broken})
    with connected(org) as (salesforce, _):
        (outcome,) = salesforce.deliver([CRM])
        assert (outcome.status, outcome.retry_after) == ("retry", timedelta(minutes=1))
        org.instead.clear()
        assert statuses(salesforce.deliver([CRM])) == ["sent"]
    assert len(org.records["Task"]) == 1


def test_a_record_that_was_accepted_behind_a_broken_answer_is_there_once():
    org = Org()

    def accepts_and_breaks_off(request) -> Answer:
        answer = org(request)
        return Answer(breaks_off=True) if request.method == "PATCH" else answer

    with provider(accepts_and_breaks_off) as listening, over_http(listening.url):
        assert statuses(channel().deliver([CRM])) == ["retry"]
    assert delivered(org) == [Outcome("sent", provider_id="salesforce/task/00T0")]
    assert len(org.records["Task"]) == 1


def test_silence_is_retried():
    assert statuses(delivered(Org(instead={"PATCH": Answer(hangs=True)}), timeout_seconds=0.3)) == ["retry"]


def test_nobody_listening_and_a_connection_that_never_comes_about_are_retried():
    with over_http(closed_address()):
        assert statuses(channel().deliver([CRM])) == ["retry"]
    with deaf_address() as url, over_http(url):
        assert statuses(channel(timeout_seconds=0.3).deliver([CRM])) == ["retry"]


@pytest.mark.parametrize("part", REQUESTS[1:])
@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_of_us_waits_with_salesforces_words(part: str, status: int):
    (outcome,) = delivered(Org(instead={part: refusal(status, "INSUFFICIENT_ACCESS", "no access to Task")}))
    assert (outcome.status, outcome.cause) == ("retry", "channel")
    assert outcome.detail == f"Salesforce answered {status}: INSUFFICIENT_ACCESS: no access to Task"


def test_a_wrong_secret_waits_and_is_told_in_words():
    with provider(Org()) as listening, over_http(listening.url):
        (outcome,) = channel(secret="wrong").deliver([CRM])
    assert (outcome.status, outcome.cause) == ("retry", "channel")
    assert outcome.detail == "Salesforce answered 400: invalid_client: invalid client credentials"


def test_a_session_that_is_refused_for_ever_waits():
    ended = refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
    (outcome,) = delivered(Org(instead={"FROM User": ended}))
    assert (outcome.status, outcome.cause) == ("retry", "channel")


def test_a_redirect_is_not_followed_and_waits():
    with provider(Org()) as elsewhere:
        away = Answer(307, b"", {"Location": f"{elsewhere.url}/services/data/v59.0/composite/sobjects/Task/{KEY}"})
        assert statuses(delivered(Org(instead={"PATCH": away}))) == ["retry"]
        assert elsewhere.requests == []


def test_a_record_is_found_by_its_key_and_no_other():
    with connected(Org()) as (salesforce, _):
        (outcome,) = salesforce.deliver([CRM])
        found = salesforce.find(CRM)
        assert (found.state, found.provider_id) == ("found", outcome.provider_id)
        assert salesforce.find(numbered(2)).state == "not_found"
        assert salesforce.find(OPPORTUNITY).state == "not_found"


def test_where_salesforce_does_not_answer_nothing_is_known():
    with connected(Org(instead={"FROM Task": Answer(500, b"oops")})) as (salesforce, _):
        assert salesforce.find(CRM).state == "cannot_look"


def test_a_task_that_salesforce_has_archived_is_completed_and_still_there():
    org = Org()
    with connected(org) as (salesforce, _):
        (outcome,) = salesforce.deliver([CRM])
        org.records["Task"]["00T0"] |= {"Status": "Completed", "CompletedDateTime": "2026-01-07T15:30:00.000+0000"}
        org.archived.add("00T0")
        assert salesforce.find(CRM).state == "found"
        assert salesforce.deliver([CRM]) == [outcome]
        (reading,) = salesforce.read([str(outcome.provider_id)]).values()
    assert reading.status == "completed"


@pytest.mark.requirement("S4-187")
def test_what_became_of_records_is_read_back():
    org = Org()
    with connected(org) as (salesforce, _):
        salesforce.deliver([CRM, numbered(2), numbered(3), OPPORTUNITY])
        tasks = org.records["Task"]
        tasks["00T1"] |= {"Status": "Completed", "CompletedDateTime": "2026-01-07T15:30:00.000+0000", "OwnerId": "005H"}
        del tasks["00T2"]
        won = {"StageName": "Closed Won", "LastStageChangeDate": "2026-02-01T12:00:00.000+0000"}
        org.records["Opportunity"]["0060"] |= won
        names = [f"salesforce/task/00T{number}" for number in range(3)]
        readings = salesforce.read([*names, "salesforce/opportunity/0060"])
    assert readings == {
        names[0]: RecordReading("open", "olga@example.com", date(2026, 1, 6)),
        names[1]: RecordReading(
            "completed", "o'hara@example.com", date(2026, 1, 6), datetime(2026, 1, 7, 15, 30, tzinfo=UTC)
        ),
        names[2]: REMOVED,
        "salesforce/opportunity/0060": RecordReading(
            "completed", "olga@example.com", date(2026, 1, 6), datetime(2026, 2, 1, 12, tzinfo=UTC)
        ),
    }


@pytest.mark.parametrize(
    "answer",
    [
        refusal(403, "INSUFFICIENT_ACCESS", "no access to Task"),
        Answer(500, b""),
        Answer(200, b"<html>"),
        Answer(200, {"records": [{"Id": "1", "IsClosed": True, "ActivityDate": "tomorrow"}], "done": True}),
        Answer(breaks_off=True),
    ],
)
def test_what_cannot_be_read_back_is_an_error_in_words(answer: Answer):
    org = Org(instead={"FROM Task": answer})
    with connected(org) as (salesforce, _), pytest.raises(UserError, match="Tasks cannot be read back: Salesforce"):
        salesforce.read(["salesforce/task/1"])


@pytest.mark.parametrize("part", REQUESTS)
def test_neither_secret_nor_address_appears_in_a_log_an_outcome_or_a_repr(caplog: pytest.LogCaptureFixture, part: str):
    words = f"bad secret {SECRET} in session {SESSION if part != REQUESTS[0] else ''} for {CRM.recipient}"
    with caplog.at_level(logging.DEBUG), connected(Org(instead={part: refusal(400, "BAD", words)})) as (salesforce, _):
        outcomes = salesforce.deliver([CRM])
        told = f"{outcomes!r}{salesforce!r}{salesforce.find(CRM)!r}"
    with caplog.at_level(logging.DEBUG), over_http(closed_address()):
        told += repr(channel().deliver([CRM]))
    told += caplog.text
    assert "***" in told
    assert SECRET not in told
    assert SESSION not in told
    assert CRM.recipient not in told
    assert "olga%40" not in told
