"""Captured messages: recorded once, shown as their reader would see them, on pages that load nothing from elsewhere."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_pipeline.channels.capture import CaptureChannel
from cs_pipeline.channels.captured_pages import Sender, message_page
from cs_pipeline.channels.message import Message
from cs_pipeline.channels.slack_blocks import escape_mrkdwn
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.messages import CRM, EMAIL, SLACK, TEAMS, delivered

NOW = datetime(2026, 1, 6, 9, 30, tzinfo=UTC)
HOSTILE = """<script>alert(1)</script>"><img src=x onerror=alert(1)>' {{7*7}} </iframe></article>"""


class Page(HTMLParser):
    """Tags, attributes and text of a page, as a browser reads them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    return tmp_path / "captured"


@pytest.fixture
def channel(tmp_path: Path, warehouse: Warehouse) -> CaptureChannel:
    return CaptureChannel(Settings(home=tmp_path), warehouse, Clock(NOW))


def rows(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select action_key, channel, recipient, path, captured_at from cs.captured_messages order by 1")
        return cursor.fetchall()


def listed(captures: Path) -> list[dict]:
    lines = (captures / "messages.js").read_text().splitlines()
    return [json.loads(re.fullmatch(r"captured\((.*)\);", line)[1]) for line in lines]  # type: ignore[index]


def page(message: Message) -> str:
    return message_page(message, Sender("Customer Success", "success@example.com"), NOW)


def test_a_captured_message_is_a_row_a_page_in_the_folder_of_its_day_and_a_line_in_the_index(
    channel: CaptureChannel, captures: Path, warehouse: Warehouse
):
    outcome = delivered(channel, EMAIL)
    assert (outcome.status, outcome.delivery) == ("sent", "capture")
    assert outcome.provider_id is not None
    assert outcome.provider_id.startswith("2026-01-06/email-acme-quick_guide-")
    assert rows(warehouse) == [(EMAIL.action_key, "email", EMAIL.recipient, outcome.provider_id, NOW)]
    assert EMAIL.subject in (captures / outcome.provider_id).read_text()
    assert [entry["path"] for entry in listed(captures)] == [outcome.provider_id]
    assert 'script.src = "messages.js"' in (captures / "index.html").read_text()


def test_capturing_twice_changes_nothing(channel: CaptureChannel, captures: Path, warehouse: Warehouse):
    first = delivered(channel, EMAIL)
    before = rows(warehouse), listed(captures)
    assert delivered(channel, EMAIL) == first
    assert (rows(warehouse), listed(captures)) == before


def test_a_new_channel_object_keeps_the_messages_of_the_last(
    channel: CaptureChannel, tmp_path: Path, captures: Path, warehouse: Warehouse
):
    delivered(channel, EMAIL)
    delivered(CaptureChannel(Settings(home=tmp_path), warehouse, Clock(NOW)), SLACK)
    assert [entry["channel"] for entry in listed(captures)] == ["email", "slack"]


def test_a_captured_message_is_found_by_its_key_and_no_other(channel: CaptureChannel):
    outcome = delivered(channel, EMAIL)
    assert (channel.find(EMAIL).state, channel.find(EMAIL).provider_id) == ("found", outcome.provider_id)
    assert channel.find(SLACK).state == "not_found"


def test_an_account_named_like_a_path_stays_in_the_folder(channel: CaptureChannel, captures: Path):
    outcome = delivered(channel, replace(EMAIL, account_id="../../etc/passwd", step="../x"))
    assert outcome.provider_id is not None
    assert (captures / outcome.provider_id).resolve().parent == (captures / "2026-01-06").resolve()


def test_text_the_database_cannot_hold_fails_in_words(channel: CaptureChannel):
    assert delivered(channel, replace(EMAIL, subject="a\x00b")).status == "failed"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, warehouse: Warehouse):
    (tmp_path / "captured").write_text("in the way")
    with pytest.raises(UserError, match=re.escape(str(tmp_path / "captured"))):
        CaptureChannel(Settings(home=tmp_path), warehouse, Clock(NOW))


@pytest.mark.parametrize("message", [EMAIL, SLACK, CRM, TEAMS])
def test_a_page_loads_nothing_from_elsewhere(message: Message):
    html = page(message)
    assert not re.search(r"""(src|srcset)=["']?(https?:)?//|<link|@import|url\(""", html)


def full_of(text: str, message: Message) -> Message:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": text}},
        {"type": "section", "text": {"type": "mrkdwn", "text": escape_mrkdwn(text)}},
    ]
    body = [{"type": "TextBlock", "text": text}, {"type": "FactSet", "facts": [{"title": text, "value": text}]}]
    texts = dict.fromkeys(("preview", "sender_name", "reply_to"), text)
    payload = {**message.payload, "blocks": blocks, "body": body, **texts}
    return replace(message, subject=text, body_text=text, recipient=text, account_id=text, payload=payload)


@pytest.mark.parametrize("message", [EMAIL, SLACK, CRM, TEAMS])
def test_customer_text_cannot_break_out_of_a_page(message: Message):
    harmless, hostile = Page(page(full_of("Acme", message))), Page(page(full_of(HOSTILE, message)))
    assert hostile.tags == harmless.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in harmless.attributes]
    assert "{{7*7}}" in hostile.text


def test_an_email_is_shown_in_a_frame_in_which_no_script_runs():
    attributes = dict(Page(page(EMAIL)).attributes)
    assert attributes["srcdoc"] == EMAIL.body_html
    assert "allow-scripts" not in (attributes["sandbox"] or "allow-scripts")


def test_an_email_shows_sender_reader_preview_and_plain_text():
    text = Page(page(EMAIL)).text
    for part in (
        "Customer Success",
        "ada@acme.example",
        "olga@example.com",
        "Two minutes to your first report",
        "Hello Ada,",
    ):
        assert part in text


def test_a_slack_message_is_drawn_from_its_blocks():
    html = page(SLACK)
    assert "<strong>Score</strong> 35 (was 72)<br>" in html
    assert '<a href="https://ui/acme">Open Acme</a>' in html


def test_a_card_in_teams_is_drawn_from_its_elements():
    html = page(TEAMS)
    assert "<strong>Score</strong> 35 (was 72)" in html
    assert '<a href="https://ui/acme">Open Acme</a>' in html
    assert '<span class="mention">olga@example.com</span>' in html
    assert "<dt>ARR</dt><dd>€18,480</dd>" in html


def test_a_crm_record_is_a_card_with_assignee_day_and_priority():
    text = Page(page(CRM)).text
    for part in ("Task", "Call Acme", "olga@example.com", "6 January 2026", "Urgent", "Find the root cause."):
        assert part in text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_whatever_a_customer_is_called_a_drawn_slack_message_holds_it_as_text(name: str):
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"Name: {escape_mrkdwn(name)}!"}}]
    parsed = Page(page(replace(SLACK, payload={"blocks": blocks})))
    assert parsed.tags.count("a") == 1, "only the link back to the index"
    assert not {"strong", "em", "s", "code", "script"} & set(parsed.tags)
