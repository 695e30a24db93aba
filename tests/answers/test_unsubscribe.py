"""Who gets a mail of a play unsubscribes by its link: programs of mail with one click, people with a button."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from cs_pipeline.channels.registry import KINDS
from cs_pipeline.channels.routing import channels_for
from cs_pipeline.cli.doctor.configuration import examine_configuration
from cs_pipeline.clock import Clock
from cs_pipeline.plays.delivery.dispatcher import deliver_due
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.messages.unsubscribe_link import read_link_key, unsubscribe_link
from cs_pipeline.settings import Settings
from cs_pipeline.site.application import site_app
from cs_pipeline.site.database import PooledWarehouse
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.databases import nobody_let_in
from tests.builders.messages import EMAIL

PUBLIC = "https://mail.ours.example"
ONE_CLICK = {"content": b"List-Unsubscribe=One-Click", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
MAIL = {"day": 0, "channel": "email", "to": "champion", "template": "yellow_quick_guide", "intent": "educate"}


@pytest.fixture
def public(settings: Settings) -> Settings:
    return settings.model_copy(update={"public_url": PUBLIC})


@pytest.fixture
def link(company: Company, public: Settings, clock: Clock) -> str:
    """The link of the mail that Ada got; another step of her play is to come tomorrow."""
    company.account("acme", severity=1)
    steps = [{**MAIL, "step": "first"}, {**MAIL, "step": "second", "day": 1}]
    enrol(company.warehouse, save_play(steps=steps, exit=[]), [company.fall("acme")], public, MONDAY)
    deliver_rendered(company, public, clock)
    ((url, html, text),) = company.run(
        "select payload ->> 'unsubscribe_url', body_html, body_text from cs.captured_messages"
    )
    assert url.replace("&", "&amp;") in html or url in html
    assert url in text
    return url


def deliver_rendered(company: Company, settings: Settings, clock: Clock) -> None:
    with company.warehouse.session() as session:
        renderer = Renderer(settings, read_link_key(session))
    deliver_due(company.warehouse, channels_for(settings, company.warehouse, clock), renderer, settings, clock)


@pytest.fixture
def reader(company: Company, public: Settings) -> Iterator[TestClient]:
    """Somebody's mail program, which comes by the public name and is nobody the site knows."""
    app = site_app(public, PooledWarehouse(company.warehouse.url), Clock(MONDAY), is_open=True)
    with TestClient(app, base_url=PUBLIC) as client:
        yield client


def suppressed(company: Company) -> list[tuple]:
    return company.run("select address, reason, source, since from cs.suppressions")


def path_of(link: str) -> str:
    parts = urlsplit(link)
    assert link.startswith(f"{PUBLIC}/unsubscribe?")
    return f"{parts.path}?{parts.query}"


@pytest.mark.requirement("S5-14")
def test_one_click_ends_mail_to_the_address_at_once(
    company: Company, public: Settings, clock: Clock, link: str, reader: TestClient
) -> None:
    answer = reader.post(path_of(link), **ONE_CLICK)
    assert answer.status_code == 200, "RFC 8058: no redirect, no log-in, no question"
    assert "set-cookie" not in answer.headers
    assert suppressed(company) == [("ada@acme.example", "unsubscribed", "unsubscribe link", MONDAY)]
    reader.post(path_of(link), **ONE_CLICK)
    assert len(suppressed(company)) == 1
    tomorrow = Clock(MONDAY + timedelta(days=1))
    deliver_rendered(company, public, tomorrow)
    assert company.run("select step, status, reason from cs.actions order by due_at") == [
        ("first", "sent", None),
        ("second", "suppressed", "unsubscribed"),
    ]


def test_who_only_looks_at_the_link_unsubscribes_nobody(company: Company, link: str, reader: TestClient) -> None:
    for look in (reader.get, reader.head):
        assert look(path_of(link)).status_code == 200
    page = reader.get(path_of(link)).text
    assert suppressed(company) == []
    assert "a…@acme.example" in page
    assert "ada@" not in page, "the mail may have been passed on"
    (action,) = re.findall(r'<form method="post" action="([^"]+)"><button>Unsubscribe</button>', page)
    done = reader.post(f"/unsubscribe{action.replace('&amp;', '&')}").text
    assert "sends no more of these e-mails to a…@acme.example." in done
    assert len(suppressed(company)) == 1


def test_a_link_that_is_not_ours_does_nothing(company: Company, link: str, reader: TestClient) -> None:
    path = path_of(link)
    for forged in (
        path[:-1],
        path[:-1] + ("0" if path[-1] != "0" else "1"),
        path.replace("message=", "message=0"),
        re.sub("signature=.*", "signature=", path),
        re.sub("signature=.*", "signature=%C3%A9%00", path),
        "/unsubscribe?message=%00",
        "/unsubscribe",
    ):
        for answer in (reader.post(forged, **ONE_CLICK), reader.get(forged)):
            assert answer.status_code == 404, forged
            assert "does not work" in answer.text
    assert reader.put(path).status_code == 405
    assert suppressed(company) == []


def test_the_link_of_a_mail_that_is_only_shown_does_nothing(public: Settings, reader: TestClient) -> None:
    assert reader.post(path_of(unsubscribe_link(public, "key", "")), **ONE_CLICK).status_code == 404


def test_the_link_of_who_was_erased_still_ends_well(company: Company, link: str, reader: TestClient) -> None:
    company.run("update cs.actions set recipient = null")
    assert "no more of these e-mails to you" in reader.get(path_of(link)).text
    assert reader.post(path_of(link), **ONE_CLICK).status_code == 200
    assert suppressed(company) == []


def test_while_the_database_is_away_the_reader_is_asked_to_come_again(
    company: Company, link: str, reader: TestClient, server: str
) -> None:
    with nobody_let_in(company.warehouse, server):
        answer = reader.post(path_of(link), **ONE_CLICK)
    assert answer.status_code == 503
    assert company.warehouse.location not in answer.text


def test_the_page_is_one_of_its_own(link: str, reader: TestClient) -> None:
    answer = reader.get(path_of(link))
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_a_captured_mail_without_a_public_address_leads_to_this_machine(settings: Settings) -> None:
    assert unsubscribe_link(settings, "key", "k").startswith("http://127.0.0.1:3001/unsubscribe?message=")


def headers(settings: Settings) -> dict[str, str]:
    """Those of a mail to a customer, as SendGrid gets it."""
    from cs_pipeline.channels.sendgrid_requests import requests

    kind = KINDS["email"].build(settings, Clock(MONDAY))
    url = unsubscribe_link(settings, EMAIL.action_key, "k")
    message = replace(EMAIL, payload={**EMAIL.payload, "unsubscribe_url": url})
    ((_, mail),) = requests([message], kind._sending)  # pyright: ignore
    return mail.get()["personalizations"][0].get("headers", {})


@pytest.mark.parametrize(
    ("changes", "names", "found"),
    [
        ({}, set(), "wrong"),
        ({"public_url": PUBLIC}, {"List-Unsubscribe", "List-Unsubscribe-Post"}, "ok"),
        ({"unsubscribe_url": "https://own.example/u"}, {"List-Unsubscribe"}, "ok"),
        (
            {"unsubscribe_url": "https://own.example/u", "unsubscribe_one_click": True},
            {"List-Unsubscribe", "List-Unsubscribe-Post"},
            "ok",
        ),
        ({"unsubscribe_url": "https://own.example/u", "public_url": PUBLIC}, {"List-Unsubscribe"}, "ok"),
        ({"sendgrid_unsubscribe_group": 7}, set(), "ok"),
    ],
)
def test_mails_say_where_to_unsubscribe_where_there_is_such_a_place(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], names: set[str], found: str
) -> None:
    settings = Settings(sendgrid_api_key="SG.k", delivery="live", **changes)  # pyright: ignore
    said = headers(settings)
    assert set(said) == names
    if names:
        own = changes.get("unsubscribe_url") or f"{PUBLIC}/unsubscribe"
        assert said["List-Unsubscribe"].startswith(f"<{own}?message=")
    (finding,) = (each for each in examine_configuration(settings) if each.subject == "unsubscribing")
    assert finding.state == found
    assert ("CS_PIPELINE_PUBLIC_URL" in finding.words) == (found == "wrong")


@pytest.mark.parametrize("url", ["http://mail.ours.example", "mail.ours.example", "https://", "https://a.example?x=1"])
def test_the_public_address_is_safe_on_its_way(url: str) -> None:
    with pytest.raises(ValidationError, match="public_url"):
        Settings(public_url=url)
