"""Notices reach our own people by the outbox: once, in the account's thread, in every form, and as people stop it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cs_pipeline.channels.message import Message, Outcome
from cs_pipeline.clock import Clock
from cs_pipeline.plays.outbox import kill_switch
from cs_pipeline.plays.outbox.operations import Notice, Reader, notify, notify_all, untold
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company
from tests.builders.delivering import ToldChannel, all_by, deliver

OLGA = Reader("owner", (("slack", "olga@ours.example"), ("email", "olga@ours.example")))
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Acme* is quiet"}}]
ACME = Notice(
    "quiet:acme",
    "Acme is quiet",
    "Acme is quiet",
    html="<p>Acme is <b>quiet</b></p>",
    blocks=BLOCKS,
    account_id="acme",
    playbook="alerts",
    step="new",
    to=OLGA,
)


def plan(company: Company, settings: Settings, *notices: Notice) -> dict[str, int]:
    with company.warehouse.session() as session:
        return notify_all(session, notices, settings, MONDAY)


def captured(company: Company) -> list[tuple]:
    return company.run("select channel, recipient, subject from cs.captured_messages order by action_key")


def test_a_notice_to_a_person_is_told_once_by_slack_and_not_by_mail_as_well(
    company: Company, settings: Settings, clock: Clock
) -> None:
    assert list(plan(company, settings, ACME, ACME)) == ["quiet:acme"]
    assert plan(company, settings, ACME) == {}
    for minutes in (0, 15):
        clock.set(MONDAY + timedelta(minutes=minutes))
        deliver(company.warehouse, settings, clock)
    assert captured(company) == [("slack", "olga@ours.example", "Acme is quiet")]
    assert company.run("select account_id, playbook, step, role from cs.actions where channel = 'slack'") == [
        ("acme", "alerts", "new", "owner")
    ]


def test_who_delivers_late_asks_chat_first_whichever_channel_comes_first(
    company: Company, settings: Settings, clock: Clock
) -> None:
    plan(company, settings, ACME)
    clock.set(MONDAY + timedelta(hours=2))
    for channel in ("email", "slack", "email"):
        told = all_by(ToldChannel())
        deliver(company.warehouse, settings, clock, {channel: told[channel]})
        clock.set(clock.now() + timedelta(minutes=11))
    assert dict(company.run("select channel, status from cs.actions")) == {"slack": "sent", "email": "cancelled"}


def test_chat_that_nobody_delivers_to_keeps_the_mail_up_once_only(
    company: Company, settings: Settings, clock: Clock
) -> None:
    plan(company, settings, ACME)
    for minutes, status in ((15, "planned"), (26, "sent")):
        clock.set(MONDAY + timedelta(minutes=minutes))
        deliver(company.warehouse, settings, clock, {"email": ToldChannel()})
        assert company.column("select status from cs.actions where channel = 'email'") == [status]


def test_a_notice_that_chat_does_not_take_goes_by_mail_as_html(
    company: Company, settings: Settings, clock: Clock
) -> None:
    plan(company, settings, ACME)
    taken: list[Message] = []

    def answer(message: Message) -> Outcome:
        taken.append(message)
        return Outcome("failed" if message.channel == "slack" else "sent")

    for minutes in (0, 11):
        clock.set(MONDAY + timedelta(minutes=minutes))
        deliver(company.warehouse, settings, clock, all_by(ToldChannel(answer)))
    assert [(message.channel, message.body_html) for message in taken] == [("slack", None), ("email", ACME.html)]
    assert taken[0].payload["blocks"] == BLOCKS


def test_more_notices_than_fit_into_one_reading_go_out_in_one_delivery(
    company: Company, settings: Settings, clock: Clock
) -> None:
    plan(company, settings, *(replace(ACME, key=f"quiet:{number}") for number in range(330)))
    deliver(company.warehouse, settings, clock)
    assert company.column("select count(*) from cs.captured_messages") == [330]


@pytest.mark.parametrize(("scope", "name"), [("account", "acme"), ("playbook", "alerts"), ("everything", "*")])
def test_what_a_person_stops_waits_until_it_is_lifted(
    company: Company, settings: Settings, clock: Clock, scope: kill_switch.Scope, name: str
) -> None:
    other = replace(ACME, key="quiet:other", account_id="other", playbook="operations")
    plan(company, settings, ACME, other)
    with company.warehouse.session() as session:
        kill_switch.stop(session, scope, name, "a lawsuit", "olga", MONDAY)
    deliver(company.warehouse, settings, clock)
    assert len(captured(company)) == (0 if scope == "everything" else 1)
    with company.warehouse.session() as session:
        assert untold(session, MONDAY + timedelta(minutes=6)) == [], "who stops it knows that it waits"
        kill_switch.lift(session, scope, name)
    deliver(company.warehouse, settings, clock)
    assert len(captured(company)) == 2


def test_what_is_told_of_an_account_stays_in_its_thread_and_its_end_is_not_shown_to_all(
    company: Company, settings: Settings, clock: Clock
) -> None:
    posts: list[tuple[object, object]] = []

    def post(message: Message) -> Outcome:
        posts.append((message.payload.get("thread"), message.payload.get("is_broadcast")))
        return Outcome("sent", provider_id=f"C1:{len(posts)}")

    for number, step in enumerate(("new", "new", "resolved")):
        plan(company, settings, replace(ACME, key=f"quiet:{number}", step=step))
        deliver(company.warehouse, settings, clock, all_by(ToldChannel(post)))
    assert posts == [(None, None), ("C1:1", True), ("C1:1", False)]


def test_hostile_words_of_a_notice_stay_words(company: Company, settings: Settings, clock: Clock) -> None:
    hostile = "<script>alert(1)</script>\x00 *bold*"
    with company.warehouse.session() as session:
        notify(session, Notice("k", hostile, hostile, to=OLGA), settings, MONDAY)
    deliver(company.warehouse, settings, clock)
    ((path,),) = company.run("select path from cs.captured_messages")
    page = (Path(settings.captures) / str(path)).read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
