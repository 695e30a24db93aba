"""Messages written for Slack, as cards in Teams."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from cs_pipeline.channels.adaptive_cards import markdown_as_html
from cs_pipeline.channels.registry import as_it_travels, missing
from cs_pipeline.channels.routing import channels_for
from cs_pipeline.channels.slack_as_card import as_card
from cs_pipeline.channels.slack_blocks import escape_mrkdwn, mrkdwn_as_html
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.messages import SLACK, delivered
from tests.fakes.provider import Answer, provider


def card(*blocks: dict) -> list:
    return as_card(replace(SLACK, payload={"blocks": list(blocks)})).payload["body"]  # type: ignore[return-value]


def mrkdwn(text: str) -> dict:
    return {"type": "mrkdwn", "text": text}


def test_every_kind_of_block_has_its_element():
    button = {"type": "button", "text": {"type": "plain_text", "text": "Open"}, "url": "https://ui/acme"}
    assert card(
        {"type": "header", "text": {"type": "plain_text", "text": "Acme needs you"}},
        {"type": "section", "text": mrkdwn("*Score* 35"), "accessory": button},
        {"type": "section", "fields": [mrkdwn("*ARR*\n€18,480"), mrkdwn("no heading")]},
        {"type": "divider"},
        {"type": "context", "elements": [mrkdwn("*Why:* a play"), mrkdwn("<https://ui|Scores>")]},
        {"type": "actions", "elements": [button]},
        {"type": "section", "text": mrkdwn("")},
    ) == [
        {"type": "TextBlock", "text": "Acme needs you", "size": "Large", "weight": "Bolder", "wrap": True},
        {"type": "TextBlock", "text": "**Score** 35", "wrap": True},
        {"type": "ActionSet", "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": "https://ui/acme"}]},
        {"type": "FactSet", "facts": [{"title": "ARR", "value": "€18,480"}, {"title": "", "value": "no heading"}]},
        {
            "type": "TextBlock",
            "text": "**Why:** a play [Scores](https://ui)",
            "size": "Small",
            "isSubtle": True,
            "wrap": True,
            "separator": True,
        },
        {"type": "ActionSet", "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": "https://ui/acme"}]},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "*Bold* and _italic_, a<b & c",
        "<https://ui/a?b=1&amp;c=2|A & B>",
        "cs_pipeline_action, 2*3*4",
        "*ARR*\n18,480",
    ],
)
def test_a_card_reads_as_slack_does(text: str):
    written = text.replace("a<b & c", "a&lt;b &amp; c").replace("|A & B>", "|A &amp; B>")
    (block,) = card({"type": "section", "text": mrkdwn(written)})
    assert markdown_as_html(block["text"]) == mrkdwn_as_html(written).replace("*3*", "∗3∗")


@pytest.mark.parametrize("value", ["[x](https://evil.example)", "**b**", "<at>olga@x.example</at>", "_i_"])
def test_no_value_becomes_markup_on_the_way(value: str):
    (block,) = card({"type": "section", "text": mrkdwn("Name: " + escape_mrkdwn(value))})
    html = markdown_as_html(block["text"])
    assert not [tag for tag in ("<strong", "<em", "<a ", "<span") if tag in html]


def settings(tmp_path: Path, **changes: object) -> Settings:
    given = {"home": tmp_path, "delivery": "live", "sendgrid_api_key": SecretStr("SG.key")}
    return Settings(**(given | changes))  # type: ignore[arg-type]


def test_where_only_teams_is_connected_slack_messages_are_cards_there(tmp_path: Path, warehouse: Warehouse):
    with provider(Answer(202)) as teams:
        only_teams = settings(tmp_path, teams_webhook_url=SecretStr(teams.url + "/hook"))
        assert missing(only_teams) == []
        outcome = delivered(channels_for(only_teams, warehouse)["slack"], SLACK)
    assert (outcome.status, outcome.detail) == ("sent", "in Microsoft Teams: no bot token of Slack is set")
    body = teams.requests[0].json["attachments"][0]["content"]["body"]
    assert [element["text"] for element in body[:2]] == ["For #customer-success", "Acme needs you"]


def test_where_both_or_none_is_connected_slack_messages_are_slacks(tmp_path: Path):
    both = settings(tmp_path, teams_webhook_url=SecretStr("https://x.example"), slack_bot_token=SecretStr("xoxb"))
    for chosen in (both, settings(tmp_path)):
        assert as_it_travels(SLACK, chosen) is SLACK
    assert missing(settings(tmp_path)) == ["CS_PIPELINE_SLACK_BOT_TOKEN"]


def test_a_command_can_be_copied_out_of_a_card():
    (block,) = card({"type": "section", "text": mrkdwn("Seen to: `cs-pipeline alert ack 2` · _since Monday_")})
    assert block["text"] == "Seen to: cs-pipeline alert ack 2 · _since Monday_"
