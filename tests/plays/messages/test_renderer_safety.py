"""Text that customers chose cannot break out of HTML, Slack's markup, headers or templates."""

import json
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_pipeline.channels.message import Message
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.messages.samples import SampleAction, everything_known
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.settings import Settings

STEPS = [(playbook, step) for playbook in load_playbooks(None).values() for step in playbook.steps]
RENDERER = Renderer(Settings(home=Path("unused")))
FREE_TEXT = ("account_name", "recipient_name", "industry", "sales_goal", "plan", "top_unused_core_feature")
HOSTILE = [
    "{{7*7}}",
    "{% raw %}{{ settings }}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</mj-text></mj-column><mj-raw><b>",
    "<!-- x --><mj-include path='/etc/passwd' />",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "Acme\r\nBcc: everybody@example.com",
    "<!channel> <@U1> <https://evil.example|your bank>",
    "*bold* _it_ ~s~ `c` > quote",
    "a: b\n- c: {d}\n---\n",
    "Müller & Söhne 株式会社 🚀 שלום",
    "\u202egnp.exe\u202c \u200b\ufeff\x00\x1b[31m\ud800",
    "x" * 5_000,
]


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


def write(playbook: Playbook, step: Step, text: str) -> Message:
    facts = everything_known(playbook.trigger.kind) | dict.fromkeys(FREE_TEXT, text)
    return RENDERER.render(playbook, step, facts, SampleAction(playbook.playbook, playbook.family))


def of_channel(channel: str) -> list[tuple[Playbook, Step]]:
    return [(playbook, step) for playbook, step in STEPS if step.channel == channel]


def shape(node: object) -> object:
    """A message without its texts."""
    if isinstance(node, list):
        return [shape(each) for each in node]
    return {name: shape(each) for name, each in node.items()} if isinstance(node, dict) else type(node).__name__


@pytest.mark.parametrize("text", HOSTILE)
def test_customer_text_adds_no_tag_and_no_attribute_to_any_mail(text: str):
    for playbook, step in of_channel("email"):
        harmless, hostile = write(playbook, step, "Acme"), write(playbook, step, text)
        expected, found = Tags(harmless.body_html or ""), Tags(hostile.body_html or "")
        assert (found.tags, found.attributes) == (expected.tags, expected.attributes), step.step


@pytest.mark.parametrize("text", HOSTILE)
def test_customer_text_adds_no_block_and_no_control_to_any_slack_message(text: str):
    for playbook, step in of_channel("slack"):
        harmless, hostile = write(playbook, step, "Acme"), write(playbook, step, text)
        assert shape(hostile.payload) == shape(harmless.payload)
        controls = [re.findall(r"<[^>]*>", json.dumps(message.payload["blocks"])) for message in (harmless, hostile)]
        in_header = re.findall(r"<[^>]*>", json.dumps(hostile.payload["blocks"][0]))  # type: ignore[index]
        assert [control for control in controls[1] if control not in in_header] == controls[0]


def test_customer_text_in_slacks_markup_is_neither_bold_nor_a_mention():
    playbook = load_playbooks(None)["red_save"]
    facts = everything_known("score_change") | {"tier": "*pro* <!here> _x_"}
    message = RENDERER.render(playbook, playbook.step_named("alert_manager"), facts, SampleAction("red_save", "save"))
    assert "*Tier*\\n∗pro∗ &lt;!here&gt; ˍxˍ" in json.dumps(message.payload["blocks"], ensure_ascii=False)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_subject_is_one_line_without_control_signs(text: str):
    for playbook, step in STEPS:
        message = write(playbook, step, text)
        for header in (message.subject, str(message.payload.get("preview", ""))):
            assert len(header) <= 400, step.step
            assert not [sign for sign in header if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")], step.step
            assert "\u202e" not in header, step.step
        assert len(message.subject) <= 200, step.step


def test_a_template_inside_customer_text_is_not_a_template():
    for playbook, step in STEPS:
        message = write(playbook, step, "{{7*7}}{% include 'x' %}")
        told = f"{message.subject} {message.body_text} {message.body_html} {json.dumps(message.payload.get('blocks'))}"
        assert "{{7*7}}" in told


def test_a_customers_name_reads_in_text_as_it_was_given():
    playbook, step = of_channel("email")[0]
    name = 'Müller & Söhne "株式会社" <b>'
    assert name in write(playbook, step, name).body_text


def test_a_value_marked_as_safe_elsewhere_cannot_arrive_as_markup():
    playbook, step = of_channel("email")[0]
    facts = everything_known(playbook.trigger.kind) | {"account_name": _Html("<b>x</b>")}
    html = RENDERER.render(playbook, step, facts, SampleAction("p", "f")).body_html or ""
    assert "<b>x</b>" not in html


class _Html(str):
    def __html__(self) -> str:
        return str(self)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(STEPS), st.text(max_size=80))
def test_any_text_whatever_leaves_every_message_as_it_is_built(each: tuple[Playbook, Step], text: str):
    playbook, step = each
    harmless, other = write(playbook, step, "Acme"), write(playbook, step, text or "Acme")
    other.body_text.encode("utf-8")
    if step.channel == "email" and text.strip():
        assert Tags(other.body_html or "").tags == Tags(harmless.body_html or "").tags
    if step.channel == "slack":
        assert [block["type"] for block in other.payload["blocks"]] == [  # type: ignore[union-attr]
            block["type"]
            for block in harmless.payload["blocks"]  # type: ignore[union-attr]
        ]
