"""Buttons of messages in Slack: who clicks decides, once, under their own name, and the message shows it."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from cs_pipeline.alerts.messages_at_once import ANSWERS
from cs_pipeline.answers.slack_listener import connect, listening
from cs_pipeline.channels.message import Message
from cs_pipeline.channels.slack import SlackChannel
from cs_pipeline.channels.slack_buttons import Asked, Given, with_buttons
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.plays.delivery.dispatcher import deliver_due
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.outbox.operations import Notice, Reader, notify_all
from cs_pipeline.settings import Settings
from tests.builders.alerts import fire
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.databases import nobody_let_in
from tests.builders.messages import SLACK
from tests.fakes.slack_workspace import APP_TOKEN, BOT_TOKEN, Workspace, buttons, workspace

OLGA, MAX, EVE, BOT = "U0LGA", "UMAX", "UEVE", "UB0T"
PEOPLE: dict[str, dict[str, Any]] = {
    OLGA: {"id": OLGA, "profile": {"email": "Olga@Ours.example"}},
    MAX: {"id": MAX, "profile": {"email": "max@ours.example"}},
    EVE: {"id": EVE, "profile": {"email": "eve@elsewhere.example"}},
    BOT: {"id": BOT, "is_bot": True, "profile": {}},
}


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with workspace(PEOPLE) as made:
        yield made


@pytest.fixture
def connected(company: Company, settings: Settings, slack: Workspace) -> Iterator[Settings]:
    """Settings of a listener that is at work."""
    tokens = {"slack_app_token": SecretStr(APP_TOKEN), "slack_bot_token": SecretStr(BOT_TOKEN)}
    settings = settings.model_copy(update={**tokens, "slack_base_url": slack.url})
    client = listening(settings, company.warehouse, Clock(MONDAY))
    connect(client, threading.Event())
    yield settings
    threading.Thread(target=client.close, daemon=True).start()  # the vendor's client needs three seconds for it


@pytest.fixture
def alert(company: Company, connected: Settings) -> int:
    """An alert that Olga was told of in Slack."""
    company.account("acme", severity=1)
    found = fire(company.warehouse, "no_login", "acme", "")
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Acme*: nobody has logged in"}}]
    notice = Notice(
        key="alerts/at_once/1", subject="Acme", text="Nobody", blocks=blocks, answers=ANSWERS, account_id="acme",
        playbook="alerts", step="alert", to=Reader("owner", (("slack", "olga@ours.example"),)),
    )  # fmt: skip
    with company.warehouse.session() as session:
        ids = notify_all(session, [notice], connected, MONDAY)
    company.insert(
        "cs.alert_notifications", alert_id=found, rule="no_login", account_id="acme", fired_at=MONDAY, kind="new",
        recipient="olga@ours.example", role="owner", created_at=MONDAY, is_in_digest=False, due_at=MONDAY,
        notice_id=ids[notice.key],
    )  # fmt: skip
    deliver_to_slack(company, connected)
    return found


def deliver_to_slack(company: Company, settings: Settings) -> None:
    channel = SlackChannel(SecretStr(BOT_TOKEN), base_url=settings.slack_base_url, seconds_between=0, has_buttons=True)
    deliver_due(company.warehouse, {"slack": channel}, Renderer(settings), settings, Clock(MONDAY))


def deliver(message: Message, slack: Workspace, *, has_buttons: bool) -> None:
    token = SecretStr(BOT_TOKEN)
    SlackChannel(token, base_url=slack.url, seconds_between=0, has_buttons=has_buttons).deliver([message])


def offered(message: dict[str, Any]) -> list[str]:
    return [each["action_id"] for each in buttons(message)]


def told(message: dict[str, Any]) -> str:
    return "\n".join(block["text"]["text"] for block in message["blocks"] if "text" in block)


def answers(company: Company) -> list[tuple]:
    return company.run("select verb, answered_by, reason from cs.slack_answers order by 1")


def test_who_clicks_looks_after_the_alert_and_the_message_says_so(
    company: Company, alert: int, slack: Workspace
) -> None:
    (post,) = slack.posts
    assert offered(post) == ["acknowledge", "snooze", "not_a_risk"]
    slack.answer_to(slack.click("acknowledge", OLGA))
    assert company.run("select acknowledged_by, acknowledged_at from cs.alerts") == [("olga@ours.example", MONDAY)]
    assert company.column("select decided_by from cs.alert_changes where cause = 'acknowledged'") == [
        "olga@ours.example"
    ]
    update = slack.wait_for(slack.updates, 1)
    assert (update["channel"], update["ts"]) == (post["channel"], post["ts"])
    assert "nobody has logged in" in told(update)
    assert "looked after by olga@ours.example* (10 March 2025, 12:00 UTC)" in told(update)
    assert offered(update) == ["snooze", "not_a_risk"]
    assert update["metadata"] == post["metadata"], "by which an uncertain message is found"


def test_a_double_click_and_a_click_that_slack_hands_over_again_act_once(
    company: Company, alert: int, slack: Workspace
) -> None:
    for envelope in [slack.click("acknowledge", user) for user in (OLGA, OLGA, MAX, OLGA)]:
        slack.answer_to(envelope)
    again = slack.send(slack.clicked("acknowledge", OLGA), envelope="handed over again")
    slack.answer_to(again)
    assert company.column("select count(*) from cs.alert_changes where cause = 'acknowledged'") == [1]
    assert len(answers(company)) == 1
    (name,) = {name for _, name, _ in answers(company)}
    for number in range(1, 6):
        assert f"looked after by {name}" in told(slack.wait_for(slack.updates, number)), "everybody sees who was first"
    assert len(slack.asked_for) <= 4
    slack.answer_to(slack.click("snooze", OLGA))
    assert slack.asked_for.count(OLGA) <= 3, "Slack is not asked anew for each click"


def test_not_a_risk_asks_why_and_others_see_the_reason(company: Company, alert: int, slack: Workspace) -> None:
    slack.answer_to(slack.click("not_a_risk", OLGA))
    assert answers(company) == []
    refused = slack.answer_to(slack.submit("  ", OLGA))
    assert "Say why" in refused["errors"]["cs_pipeline_reason"]
    assert answers(company) == []
    assert slack.answer_to(slack.submit("They are on holiday <!channel>", OLGA)) == {}
    assert answers(company) == [("not_a_risk", "olga@ours.example", "They are on holiday <!channel>")]
    assert company.run("select acknowledged_by, snoozed_until, snooze_reason from cs.alerts") == [
        ("olga@ours.example", MONDAY + timedelta(days=30), "not a risk: They are on holiday <!channel>")
    ]
    update = slack.wait_for(slack.updates, 1)
    assert "nobody has logged in" in told(update)
    assert "not a risk, says olga@ours.example" in told(update)
    assert "&lt;!channel&gt;" in told(update), "what somebody writes calls nobody"
    assert offered(update) == []


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (EVE, "You are eve@elsewhere.example in Slack, who owns no account here"),
        (BOT, "Only people of this workspace decide here"),
        ("UGHOST", "Slack does not say who you are"),
    ],
)
def test_who_is_not_one_of_us_is_told_so_and_decides_nothing(
    company: Company, alert: int, slack: Workspace, user: str, words: str
) -> None:
    slack.answer_to(slack.click("acknowledge", user))
    said = slack.wait_for(slack.ephemerals, 1)
    assert said["user"] == user
    assert words in said["text"]
    assert "othing was changed" in said["text"]
    assert company.column("select acknowledged_at from cs.alerts") == [None]
    assert answers(company) == []
    slack.click("not_a_risk", user)
    assert "errors" in slack.answer_to(slack.submit("no", user))


def test_a_user_of_the_site_is_one_of_us(company: Company, alert: int, slack: Workspace) -> None:
    company.insert("cs.site_users", name="eve@elsewhere.example", password_hash="x", added_by="t")
    slack.answer_to(slack.click("snooze", EVE))
    assert company.run("select snoozed_until, snooze_reason from cs.alerts") == [
        (MONDAY + timedelta(days=7), "snoozed in Slack")
    ]


def test_an_alert_that_is_over_is_not_decided_on(company: Company, alert: int, slack: Workspace) -> None:
    company.run("update cs.alerts set state = 'resolved', cause = 'condition', ended_at = %s", MONDAY)
    slack.answer_to(slack.click("acknowledge", OLGA))
    assert "It is over already." in slack.wait_for(slack.ephemerals, 1)["text"]
    assert answers(company) == []


def test_while_the_database_is_away_the_click_is_told_to_come_again(
    company: Company, alert: int, slack: Workspace, server: str
) -> None:
    with nobody_let_in(company.warehouse, server):
        slack.answer_to(slack.click("acknowledge", OLGA))
        assert "othing was changed" in slack.wait_for(slack.ephemerals, 1)["text"]
    slack.answer_to(slack.click("acknowledge", OLGA))
    assert len(answers(company)) == 1


def test_a_play_is_held_approved_and_done_from_its_message(
    company: Company, connected: Settings, slack: Workspace
) -> None:
    company.account("acme", severity=2)
    tell = {"step": "tell", "day": 0, "channel": "slack", "to": "owner", "template": "red_alert_owner"}
    call = {"step": "call", "day": 0, "channel": "crm", "to": "owner", "template": "red_discovery_call"}
    mail = {"step": "mail", "day": 3, "channel": "email", "to": "champion", "template": "yellow_quick_guide"}
    steps = [{**each, "intent": "inform"} for each in (tell, call, mail)]
    enrol(company.warehouse, save_play(steps=steps, exit=[]), [company.fall("acme")], connected, MONDAY)
    deliver_to_slack(company, connected)
    company.run(
        "insert into cs.crm_tasks (external_id, kind, account_id, title, body, assignee, due_on, priority, created_at) "
        "select action_key, 'task', 'acme', 't', 'b', 'o', due_at, 'normal', due_at from cs.actions where step = 'call'"
    )

    def status(step: str) -> object:
        return company.column("select status from cs.actions where step = %s", step)[0]

    assert offered(slack.posts[0]) == ["hold", "done"]
    slack.answer_to(slack.click("hold", MAX))
    assert status("mail") == "awaiting_approval"
    assert company.column("select distinct decided_by from cs.action_decisions") == ["max@ours.example"]
    held = slack.wait_for(slack.updates, 1)
    assert offered(held) == ["done", "approve"], "what is on hold goes on when somebody approves it"
    slack.answer_to(slack.click("approve", OLGA, held))
    assert status("mail") == "planned"
    approved = slack.wait_for(slack.updates, 2)
    slack.answer_to(slack.click("done", OLGA, approved))
    done = slack.wait_for(slack.updates, 3)
    assert offered(done) == []
    assert {line.partition("*")[2].partition("*")[0] for line in told(done).splitlines()[-3:]} == {
        "It was put on hold by max@ours.example",
        "It was approved by olga@ours.example",
        "It was done by olga@ours.example",
    }
    assert company.run("select status, completed_by from cs.crm_tasks") == [("completed", "olga@ours.example")]


def test_what_is_no_click_of_ours_is_acknowledged_and_left_alone(
    company: Company, alert: int, slack: Workspace
) -> None:
    clicked = slack.clicked("acknowledge", OLGA)
    for payload, kind in (
        ({**clicked, "actions": [{"action_id": "acknowledge", "value": "nothing of ours"}]}, "interactive"),
        ({**clicked, "actions": [{"action_id": "other", "value": clicked["actions"][0]["value"]}]}, "interactive"),
        ({**clicked, "actions": []}, "interactive"),
        ({"type": "block_actions"}, "interactive"),
        ({"type": "shortcut"}, "interactive"),
        ({"event": {"type": "message"}}, "events_api"),
    ):
        assert slack.answer_to(slack.send(payload, kind=kind)) == {}
    assert answers(company) == []
    assert slack.ephemerals == []


def test_after_slack_asks_to_connect_anew_clicks_come_as_before(company: Company, alert: int, slack: Workspace) -> None:
    connection = slack.connections.get(timeout=10)
    connection.send('{"type": "disconnect", "reason": "refresh_requested"}')
    slack.answer_to(slack.click("acknowledge", OLGA))
    assert len(answers(company)) == 1


def test_without_a_listener_messages_have_no_buttons(slack: Workspace) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}]
    assert with_buttons(blocks * 60, Asked("k", ("done",)))[-1]["type"] == "actions"
    assert len(with_buttons(blocks * 60, Asked("k", ("hold",)), [Given("hold", "o", MONDAY)])) == 50
    deliver(replace(SLACK, payload={"blocks": blocks, "answers": ["done"]}), slack, has_buttons=True)
    assert offered(slack.posts[-1]) == ["done"]
    deliver(replace(SLACK, payload={"blocks": blocks, "answers": ["done"]}), slack, has_buttons=False)
    assert buttons(slack.posts[-1]) == []


def test_a_token_that_is_missing_or_refused_is_named(company: Company, settings: Settings, slack: Workspace) -> None:
    with pytest.raises(UserError, match="CS_PIPELINE_SLACK_APP_TOKEN and CS_PIPELINE_SLACK_BOT_TOKEN is not set"):
        listening(settings, company.warehouse, Clock(MONDAY))
    wrong = {"slack_app_token": SecretStr("xoxb-wrong"), "slack_bot_token": SecretStr(BOT_TOKEN)}
    client = listening(
        settings.model_copy(update={**wrong, "slack_base_url": slack.url}), company.warehouse, Clock(MONDAY)
    )
    try:
        with pytest.raises(UserError, match="connections:write"):
            connect(client, threading.Event())
    finally:
        threading.Thread(target=client.close, daemon=True).start()
