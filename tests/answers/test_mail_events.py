"""SendGrid posts what became of mails: signed or refused, kept once, and who wants none gets none from then on."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from cs_pipeline.addresses import hash_of
from cs_pipeline.answers import keeping_together
from cs_pipeline.answers.mail_events import keep
from cs_pipeline.channels import sendgrid_events
from cs_pipeline.channels.sendgrid_events import read_events
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings, load_settings
from cs_pipeline.site.application import site_app
from cs_pipeline.site.database import PooledWarehouse
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY, Company
from tests.builders.databases import nobody_let_in
from tests.builders.mail_events import body_of, event, public_key, signed

PATH = "/webhooks/sendgrid"
AT = MONDAY - timedelta(minutes=3)
OUR_GROUP = 7


@pytest.fixture
def sendgrid(company: Company, settings: Settings) -> Iterator[TestClient]:
    """SendGrid before our site, which it asks for by a name that no page has; the site knows nobody."""
    with TestClient(site(company.warehouse, settings), base_url="https://tunnel.example") as client:
        yield client


def site(warehouse: Warehouse, settings: Settings, **changes: Any) -> Any:
    changes = {"sendgrid_webhook_key": public_key(), "sendgrid_unsubscribe_group": OUR_GROUP, **changes}
    return site_app(settings.model_copy(update=changes), PooledWarehouse(warehouse.url), Clock(MONDAY), is_open=True)


def post(client: TestClient, *events: Any, signed_at: Any = MONDAY) -> str:
    body = body_of(events)
    answer = client.post(PATH, content=body, headers=signed(body, signed_at))
    assert answer.status_code == 200, answer.text
    return answer.text


def kept(company: Company) -> list[tuple]:
    return company.run("select event, email, problem from cs.sendgrid_events order by event, email")


def suppressed(company: Company) -> dict[str, str]:
    return dict(company.run("select address, reason from cs.suppressions order by 1"))


@pytest.mark.requirement("S5-14")
def test_what_is_told_twice_counts_once_though_its_event_id_is_another_one(
    company: Company, sendgrid: TestClient
) -> None:
    told = [
        ("open", {}),
        ("open", {"timestamp": int(AT.timestamp()) + 1}),
        ("click", {"url": "https://app.example.com/a"}),
        ("click", {"url": "https://app.example.com/b"}),
        ("open", {"sg_message_id": "another.mail.0"}),
    ]
    assert post(sendgrid, *(event(name, AT, **fields) for name, fields in told)).startswith("5 of 5 ")
    again = [event(name, AT, **fields) for name, fields in told]
    assert post(sendgrid, *again[:2]).startswith("0 of 2 ")
    assert post(sendgrid, *again, *again, event("open", AT, "eve@acme.example")).startswith("1 of 11 ")
    assert len(kept(company)) == 6
    ids = {row["sg_event_id"] for row in company.column("select body from cs.sendgrid_events")}  # pyright: ignore
    assert len(ids) == 6, "each is kept as it came first"


def test_events_without_a_message_are_told_apart_by_all_they_say(company: Company, sendgrid: TestClient) -> None:
    of_account = {"event": "account_status_change", "timestamp": int(AT.timestamp()), "sg_event_id": "1"}
    compliance = {**of_account, "type": "compliance_suspend"}
    assert post(sendgrid, compliance, {**compliance, "sg_event_id": "2"}, {**of_account, "type": "x"}).startswith("2 ")
    assert kept(company) == [("account_status_change", None, None)] * 2


@pytest.mark.requirement("S5-14")
def test_bounces_spam_reports_and_unsubscribes_suppress_at_once(company: Company, sendgrid: TestClient) -> None:
    post(
        sendgrid,
        event("bounce", AT, "Hard@A.example", type="bounce", reason="550 no such user"),
        event("bounce", AT, "full@a.example", type="blocked"),
        event("spamreport", AT, "spam@a.example"),
        event("unsubscribe", AT, "gone@a.example"),
        event("group_unsubscribe", AT, "ours@a.example", asm_group_id=OUR_GROUP),
        event("group_unsubscribe", AT, "by-our-mail@a.example", asm_group_id=8, action_key="k"),
        event("group_unsubscribe", AT, "newsletter@a.example", asm_group_id=8),
        event("deferred", AT, "later@a.example"),
        event("dropped", AT, "known@a.example", reason="Bounced Address"),
    )
    assert suppressed(company) == {
        "by-our-mail@a.example": "unsubscribed",
        "gone@a.example": "unsubscribed",
        "hard@a.example": "bounced",
        "ours@a.example": "unsubscribed",
        "spam@a.example": "spam",
    }
    assert company.run("select distinct source, since from cs.suppressions") == [("sendgrid events", AT)]
    company.run("delete from cs.suppressions")
    post(sendgrid, event("spamreport", AT, "spam@a.example"))
    assert suppressed(company) == {}, "whom a person has taken off the list is not put on it again by a repetition"


def test_no_group_of_ours_is_no_group_at_all(company: Company, settings: Settings) -> None:
    with TestClient(site(company.warehouse, settings, sendgrid_unsubscribe_group=None)) as client:
        post(
            client,
            event("group_unsubscribe", AT, "a@a.example"),
            event("group_unsubscribe", AT, "b@a.example", asm_group_id=None),
        )
    assert suppressed(company) == {}


def test_of_who_was_erased_nothing_is_kept_but_that_it_happened(company: Company, sendgrid: TestClient) -> None:
    company.insert("cs.suppressions", address=hash_of("ada@acme.example"), reason="by_hand", source="erasure", since=AT)
    post(
        sendgrid,
        event("open", AT, "Ada@Acme.example", ip="1.2.3.4"),
        event("bounce", AT, "ada@acme.example", type="bounce"),
    )
    post(sendgrid, event("open", AT, "Ada@Acme.example", ip="1.2.3.4"))
    assert kept(company) == [("bounce", None, None), ("open", None, None)]
    assert company.column("select distinct body from cs.sendgrid_events") == [{}]
    assert set(suppressed(company)) == {hash_of("ada@acme.example")}


@pytest.mark.requirement("S5-14")
def test_nothing_that_is_signed_is_lost(company: Company, sendgrid: TestClient) -> None:
    strange = [
        event("opened_twice", AT, "new@a.example", depth={"a": [1e3]}),
        "text",
        None,
        [],
        {"event": "open", "email": "a@a.example"},
        event("open", AT, "a@a.example", timestamp="yesterday"),
        event("open", AT, "a@a.example", timestamp=True),
        event("open", AT, "a@a.example", timestamp=10**12),
        {**event("open", AT), "event": 7},
        event("open", AT, ""),
        event("open", AT, "nul@a.example", useragent="a\0b\ud800"),
        event("click", AT, "big@a.example", url="x" * 90_000),
    ]
    assert post(sendgrid, *strange).startswith("12 of 12 ")
    problems = company.run("select problem, count(*) from cs.sendgrid_events group by 1 order by 2 desc, 1")
    assert [count for _, count in problems] == [4, 3, 3, 1, 1]
    assert problems[0][0].startswith("has no moment in the field `timestamp`")
    unreadable, no_list = "is no JSON that can be read", "is no list of events"
    odd_numbers = b'[{"event": "open", "timestamp": 1741600000, "email": "n@a.example", "n": 1e9999, "m": NaN}]'
    for body, problem in (
        (b"{", unreadable),
        (b"", unreadable),
        (b"[" * 100_000, unreadable),
        (b"[" * 900 + b"]" * 900, unreadable),
        (b"{}", no_list),
        (odd_numbers, None),
    ):
        answer = sendgrid.post(PATH, content=body, headers=signed(body, MONDAY))
        assert answer.text.startswith("1 of 1 "), body[:9]
        newest = "select problem from cs.sendgrid_events order by xmin::text::bigint desc limit 1"
        assert company.column(newest) == [problem], body[:9]
    assert sendgrid.post(PATH, content=b"[]", headers=signed(b"[]", MONDAY)).text == "0 of 0 events are new\n"


def test_only_what_sendgrid_signed_lately_is_taken(company: Company, sendgrid: TestClient) -> None:
    body = body_of([event("bounce", AT, type="bounce")])
    sound = signed(body, MONDAY)

    def refused(headers: dict[str, str], content: bytes = body) -> str:
        answer = sendgrid.post(PATH, content=content, headers=headers)
        assert answer.status_code == 403
        return answer.text

    assert "is not signed" in refused({})
    assert "is not signed" in refused({sendgrid_events.SIGNATURE: sound[sendgrid_events.SIGNATURE]})
    assert "does not fit" in refused(sound, body.replace(b"bounce", b"opened"))
    assert "does not fit" in refused({**sound, sendgrid_events.TIMESTAMP: "1741600001"})
    assert "does not fit" in refused({**sound, sendgrid_events.SIGNATURE: "!"})
    assert "does not fit" in refused(signed(b"\xff\xfe", MONDAY), b"\xff\xfe"), "what is no text is not SendGrid's"
    assert "too far from now" in refused(signed(body, MONDAY - timedelta(hours=26)))
    assert "too far from now" in refused(signed(body, MONDAY + timedelta(minutes=6)))
    assert kept(company) == []
    assert suppressed(company) == {}
    repeated = sendgrid.post(PATH, content=body, headers=signed(body, MONDAY - timedelta(hours=24)))
    assert repeated.status_code == 200, "SendGrid repeats for a day"


def test_a_request_has_a_size_and_a_method(
    company: Company, sendgrid: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sendgrid.get(PATH).status_code == 405
    monkeypatch.setattr("cs_pipeline.site.outside.sendgrid_events.MOST_BYTES", 1_000)
    body = body_of([event("open", AT, url="x" * 1_000)])
    assert sendgrid.post(PATH, content=body, headers=signed(body, MONDAY)).status_code == 413

    def in_pieces() -> Iterator[bytes]:
        yield from (body[start : start + 100] for start in range(0, len(body), 100))

    assert sendgrid.post(PATH, content=in_pieces(), headers=signed(body, MONDAY)).status_code == 413
    assert kept(company) == []


def test_without_a_key_it_says_which_setting_it_needs(company: Company, settings: Settings) -> None:
    body = body_of([event("open", AT)])
    with TestClient(site(company.warehouse, settings, sendgrid_webhook_key="")) as client:
        answer = client.post(PATH, content=body, headers=signed(body, MONDAY))
    assert answer.status_code == 503
    assert "CS_PIPELINE_SENDGRID_WEBHOOK_KEY" in answer.text


def test_while_the_database_is_away_sendgrid_is_asked_to_come_again(
    company: Company, sendgrid: TestClient, server: str
) -> None:
    body = body_of([event("open", AT)])
    with nobody_let_in(company.warehouse, server):
        answer = sendgrid.post(PATH, content=body, headers=signed(body, MONDAY))
        assert answer.status_code == 503
        assert company.warehouse.location not in answer.text
    assert post(sendgrid, *json.loads(body)).startswith("1 of 1 ")


def test_the_path_leads_to_no_page_and_sets_no_cookie(sendgrid: TestClient) -> None:
    body = body_of([event("open", AT)])
    answer = sendgrid.post(PATH, content=body, headers={**signed(body, MONDAY), "Origin": "https://elsewhere.example"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert sendgrid.get("/today").status_code == 403
    assert sendgrid.get(f"{PATH}/../today").status_code == 403


@pytest.mark.parametrize("around", ["{}", "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n"])
def test_the_key_is_taken_as_sendgrid_shows_it_and_as_others_write_it(around: str) -> None:
    assert Settings(sendgrid_webhook_key=around.format(public_key())).sendgrid_webhook_key == public_key()


@pytest.mark.parametrize("key", ["SG.abc", "MFkw", "a" * 124])
def test_what_is_no_key_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("CS_PIPELINE_SENDGRID_WEBHOOK_KEY", key)
    with pytest.raises(UserError, match="CS_PIPELINE_SENDGRID_WEBHOOK_KEY: is not SendGrid's verification key"):
        load_settings()


def test_an_event_keeps_addresses_out_of_logs() -> None:
    (read,) = sendgrid_events.read_events(body_of([event("open", AT)]), unsubscribe_group=None)
    assert "ada@" not in repr(read)
    assert "ada@" not in str(SecretStr("ada@"))


def test_requests_that_come_together_are_kept_in_few_transactions_and_each_hears_of_its_own(
    company: Company, sendgrid: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions: list[int] = []
    is_first, others_came = threading.Event(), threading.Event()

    def keep_slowly(session: Any, events: Any, now: Any) -> set[str]:
        transactions.append(len(events))
        if not is_first.is_set():
            is_first.set()
            others_came.wait(10)
        return keep(session, events, now)

    monkeypatch.setattr(keeping_together, "keep", keep_slowly)
    with ThreadPoolExecutor(8) as senders:
        first = senders.submit(post, sendgrid, event("open", AT, sg_message_id="0"))
        assert is_first.wait(10)
        others = [senders.submit(post, sendgrid, event("open", AT, sg_message_id=str(nth % 5))) for nth in range(7)]
        time.sleep(0.5)
        others_came.set()
        answers = [future.result() for future in (first, *others)]
    assert transactions == [1, 7]
    assert answers[0] == answers[2] == "1 of 1 events are new\n"
    assert answers[1] == "0 of 1 events are new\n", "the first brought it"
    assert len(kept(company)) == 5


def test_a_request_that_cannot_be_kept_is_not_the_loss_of_those_that_came_with_it(
    company: Company,
) -> None:
    together = keeping_together.KeepingTogether(company.warehouse)
    sound, broken = (
        keeping_together._Waiting(read_events(body_of([event("open", AT, sg_message_id=name)]), unsubscribe_group=None))
        for name in ("sound", "broken")
    )
    broken.events = [replace(broken.events[0], event_key="no key")]
    together._keep([sound, broken], MONDAY)
    assert (sound.new, sound.error) == (1, None)
    assert broken.error is not None
    assert len(kept(company)) == 1


def test_whoever_waits_hears_of_a_fault_that_nobody_expected(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> set[str]:
        raise RuntimeError("out of order")

    monkeypatch.setattr(keeping_together, "keep", fail)
    together = keeping_together.KeepingTogether(company.warehouse)
    theirs = keeping_together._Waiting([])
    together._waiting.append(theirs)
    with pytest.raises(RuntimeError, match="out of order"):
        together.keep([], MONDAY)
    assert theirs.is_done
