"""From a step and facts to a message: what each channel's message holds, and what the rendering of it refuses."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs_pipeline.errors import UserError
from cs_pipeline.plays.messages import loader
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.messages.samples import SampleAction, everything_known
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.plays.playbooks.trials import Variant, variant_of
from cs_pipeline.settings import Settings

PLAYBOOKS = load_playbooks(None)
STEPS = [(playbook, step) for playbook in PLAYBOOKS.values() for step in playbook.steps]
ACTION = SampleAction("yellow_adoption", "save", "yellow_adoption/quick_guide/acme", "acme", "ada@acme.example")
SHIPPED_BRAND = loader.SHIPPED / "brand.yaml"
RENDERER = Renderer(Settings(home=Path("unused")))


def step(channel: str, template: str, to: str = "owner") -> Step:
    return Step.model_validate(
        {"step": "try", "day": 1, "channel": channel, "to": to, "template": template, "intent": "inform"}
    )


def shipped(playbook: str, name: str) -> tuple[Playbook, Step]:
    return PLAYBOOKS[playbook], PLAYBOOKS[playbook].step_named(name)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config"


def write_template(config: Path, channel: str, text: str, name: str = "mine") -> Path:
    suffix = {"email": ".mjml.j2", "slack": ".yaml.j2", "crm": ".txt.j2"}[channel]
    path = config / "templates" / channel / (name + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def playbook_with(channel: str, kind: str = "manual") -> Playbook:
    return Playbook(
        playbook="mine",
        title="Mine",
        description="A play of the test's own.",
        family="mine",
        priority=1,
        trigger={"kind": kind},  # type: ignore[arg-type]
        steps=(step(channel, "mine", "point_of_contact" if channel == "email" else "owner"),),
    )


def refusal(config: Path, channel: str) -> str:
    """What checking a playbook with the one template says."""
    with pytest.raises(UserError) as raised:
        Renderer(Settings(home=config, config=config)).check(playbook_with(channel))
    return str(raised.value)


# What a message holds -----------------------------------------------------------------------------------------------


def test_a_mail_goes_to_its_recipient_with_subject_preview_sender_and_where_replies_go():
    message = RENDERER.render(*shipped("yellow_adoption", "quick_guide"), everything_known("score_change"), ACTION)
    assert (message.channel, message.recipient, message.account_id) == ("email", "ada@acme.example", "acme")
    assert (message.action_key, message.playbook, message.step) == (ACTION.action_key, "yellow_adoption", "quick_guide")
    assert message.category == "save"
    assert message.payload["sender_name"] == "Customer Success"
    assert message.payload["reply_to"] == "olga.owner@example.com"
    assert "Hi Ada," in message.body_text
    assert "Hi Ada," in (message.body_html or "")


def test_an_account_gets_the_template_of_the_variant_it_draws():
    playbook, step = shipped("yellow_adoption", "quick_guide")
    variants = (Variant(variant="recommendation", template="yellow_one_recommendation"),)
    tried = step.model_copy(update={"variants": variants})
    subjects = {"as it is": set[str](), "recommendation": set[str]()}
    for number in range(20):
        action = replace(ACTION, account_id=f"account-{number}")
        drawn = variant_of(playbook.playbook, step.step, variants, action.account_id)
        message = RENDERER.render(playbook, tried, everything_known("score_change"), action)
        subjects[drawn.variant if drawn else "as it is"].add(message.subject)
    assert [len(each) for each in subjects.values()] == [1, 1]
    assert subjects["as it is"] != subjects["recommendation"]


def test_the_text_part_says_what_the_mail_says_with_its_links_spelled_out():
    message = RENDERER.render(*shipped("yellow_adoption", "offer_session"), everything_known("score_change"), ACTION)
    assert re.search("Choose a time:\nhttps://app.example.com/meet\\?cs_message=[0-9a-f]{32}\n", message.body_text)
    assert "- A training session for your team" in message.body_text
    assert re.search("are here\n\\(https://app.example.com/training\\?cs_message=[0-9a-f]{32}\\)", message.body_text)
    assert max(map(len, message.body_text.splitlines())) <= 90
    assert not re.search(r"<[a-z/]|&[a-z]+;", message.body_text)


def test_the_unsubscribe_link_tells_which_message_and_keeps_the_pages_own_parameters():
    renderer = Renderer(Settings(home=Path("unused"), unsubscribe_url="https://e.example/u?list=cs"))
    urls = {
        str(renderer.render(*shipped("yellow_adoption", "quick_guide"), {}, action).payload["unsubscribe_url"])
        for action in (ACTION, ACTION, replace(ACTION, action_key="another"))
    }
    assert len(urls) == 2
    assert all(re.fullmatch(r"https://e\.example/u\?list=cs&message=[0-9a-f]{20}", url) for url in urls)


def test_a_mail_to_one_of_us_needs_no_unsubscribe_link():
    message = RENDERER.render(PLAYBOOKS["yellow_adoption"], step("email", "yellow_quick_guide", "owner"), {}, ACTION)
    assert "unsubscribe_url" not in message.payload
    assert "Unsubscribe" not in message.body_text


@pytest.mark.parametrize("address", ["not an address", "a@b@c", "<a@b.example>", "a@b.example\nBcc: x@y.example", "@"])
def test_replies_never_go_to_something_that_is_no_address(address: str):
    message = RENDERER.render(*shipped("yellow_adoption", "quick_guide"), {"owner_email": address}, ACTION)
    assert message.payload["reply_to"] is None


@pytest.mark.parametrize(
    ("name", "greeting"),
    [
        ("Ada Lindqvist", "Hi Ada,"),
        ("Ada", "Hi Ada,"),
        (None, "Hello,"),
        ("Dr. Ada", "Hello,"),
        ("ada@x.example", "Hello,"),
        ("NULL", "Hello,"),
        ("-", "Hello,"),
        ("N/A", "Hello,"),
        ("Unknown", "Hello,"),
        ("Mr Lee", "Hello,"),
        ("12345", "Hello,"),
        ("{{ owner_email }}", "Hello,"),
        ("<script>alert(1)</script>", "Hello,"),
        ("李小龙", "Hi 李小龙,"),
    ],
)
def test_people_are_greeted_by_first_name_where_there_is_one(name: str | None, greeting: str):
    message = RENDERER.render(*shipped("yellow_adoption", "quick_guide"), {"recipient_name": name}, ACTION)
    assert message.body_text.startswith(greeting)


def test_a_sentence_that_ends_with_a_name_that_has_a_full_stop_ends_with_one():
    message = RENDERER.render(*shipped("yellow_adoption", "quick_guide"), {"account_name": "Acme Inc."}, ACTION)
    assert "contact of Acme Inc." in message.body_text
    assert ".." not in message.body_text
    assert "Acme Inc.." not in (message.body_html or "")


def test_the_day_of_a_message_is_counted_in_the_accounts_zone():
    action = replace(ACTION, due_at=datetime(2026, 1, 5, 22, tzinfo=UTC))
    days = [
        RENDERER.render(*shipped("red_save", "decision"), {"timezone": zone}, action).due_on
        for zone in ("Australia/Sydney", "America/New_York", "No/Where", None)
    ]
    assert days == [date(2026, 1, 6), date(2026, 1, 5), date(2026, 1, 5), date(2026, 1, 5)]


def test_a_slack_message_has_blocks_a_notification_and_ends_with_why():
    action = replace(ACTION, playbook="red_save")
    message = RENDERER.render(*shipped("red_save", "alert_owner"), everything_known("score_change"), action)
    blocks = message.payload["blocks"]
    assert isinstance(blocks, list)
    assert [block["type"] for block in blocks] == ["header", "section", "section", "section", "divider", "context"]
    assert message.subject == "Nordwind Logistik is at risk of churning"
    assert blocks[-1]["elements"][0]["text"].startswith("*Why:* play Churn risk, day 0, account acme.")
    assert {text["verbatim"] for text in _mrkdwn(blocks)} == {True}


def test_blocks_of_which_nothing_is_known_are_left_out():
    message = RENDERER.render(*shipped("red_save", "alert_owner"), {}, ACTION)
    blocks = message.payload["blocks"]
    assert isinstance(blocks, list)
    assert [block["type"] for block in blocks] == ["header", "section", "divider", "context"]


def test_a_task_has_the_priority_of_its_step_and_paragraphs_on_one_line():
    message = RENDERER.render(*shipped("red_save", "discovery_call"), everything_known("score_change"), ACTION)
    assert message.payload == {"kind": "task", "priority": "urgent"}
    assert "Call today, to understand rather than to convince. Find the root cause:\n\n- Usage:" in message.body_text


def test_trigger_facts_that_come_out_of_json_are_read_in_their_types():
    message = RENDERER.render(*shipped("renewal_ladder", "reminder"), {"renewal_date": "2026-04-02"}, ACTION)
    assert message.subject == "Your subscription renews on 2 April 2026"


@pytest.mark.parametrize(
    ("drivers", "words"),
    [
        ([{"metric": "seat_utilisation", "delta": -10, "cause": "behaviour"}], "seats in use (−10)"),
        ([{"metric": "days_to_renewal", "delta": -10, "cause": "calendar"}], "days to renewal (−10, by the calendar)"),
        ([{"metric": "gone_metric", "delta": -10, "cause": "behaviour"}], "Score fell from 72 (green) to 35 (red)."),
        (None, "Score fell from 72 (green) to 35 (red)."),
    ],
)
def test_the_change_is_told_with_its_drivers(drivers: object, words: str):
    facts = {"from_score": 72.0, "to_score": 35.0, "from_band": "green", "to_band": "red", "drivers": drivers}
    assert words in RENDERER.render(*shipped("red_save", "discovery_call"), facts, ACTION).body_text


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_is_missing_every_step_can_be_written_and_prints_no_none(data: st.DataObject):
    playbook, each = data.draw(st.sampled_from(STEPS))
    known = everything_known(playbook.trigger.kind)
    missing = data.draw(st.sets(st.sampled_from(sorted(known))))
    facts = known | {name: data.draw(st.sampled_from([None, float("nan")])) for name in missing}
    message = RENDERER.render(playbook, each, facts, SampleAction(playbook.playbook, playbook.family))
    told = f"{message.subject} {message.body_text} {message.body_html or ''} {json.dumps(message.payload)}"
    assert not re.search(r"\b(None|nan|NaN|NaT|Undefined)\b", told)
    assert message.subject


# Files of the team --------------------------------------------------------------------------------------------------


def test_a_template_of_the_team_takes_the_place_of_the_shipped_one(config: Path):
    write_template(config, "crm", "---\ntitle: Ours\n---\nDo it.", name="red_decision")
    message = Renderer(Settings(home=config, config=config)).render(*shipped("red_save", "decision"), {}, ACTION)
    assert message.subject == "Ours"


@pytest.mark.parametrize("name", ["'_greeting.txt.j2'", "('_greeting', '.txt.j2') | join"])
def test_a_file_that_a_template_includes_shows_what_it_knows(config: Path, name: str):
    greeting = "{% if contact_first_name is not none %}Hello {{ contact_first_name }}{% endif %}, {{ link.help }}"
    write_template(config, "crm", greeting, name="_greeting")
    write_template(config, "crm", f"---\ntitle: Mine\n---\n{{% include {name} %}}")
    playbook = playbook_with("crm")
    facts = {"recipient_name": "Ada Lovelace"}
    message = Renderer(Settings(home=config, config=config)).render(playbook, playbook.steps[0], facts, ACTION)
    assert message.body_text.startswith("Hello Ada, https://app.example.com/help?")


def test_a_brand_of_the_team_colours_mail_and_leads_to_its_pages(config: Path):
    text = SHIPPED_BRAND.read_text().replace("#1f6f5c", "#aa0033")
    text = text.replace("help: /help", "help: https://help.x.example/")
    (config / "templates").mkdir(parents=True)
    (config / "templates" / "brand.yaml").write_text(text)
    renderer = Renderer(Settings(home=config, config=config))
    html = renderer.render(*shipped("yellow_adoption", "quick_guide"), {}, ACTION).body_html or ""
    assert "#aa0033" in html
    assert "https://help.x.example/" in html


def test_a_story_is_told_to_similar_companies(config: Path):
    stories = """
stories:
  - {title: For all, url: /all, summary: Everybody., has_expanded: true}
  - {title: Of logistics, url: /logistics, summary: Trucks., industry: logistics}
  - {title: Of retail, url: "https://x.example/retail", summary: Shops., industry: Retail,
     tier: pro, has_expanded: true}
"""
    (config / "templates").mkdir(parents=True)
    (config / "templates" / "brand.yaml").write_text(SHIPPED_BRAND.read_text().replace("stories: []", stories))
    renderer = Renderer(Settings(home=config, config=config))

    def subject(playbook: str, name: str, **facts: object) -> str:
        return renderer.render(*shipped(playbook, name), facts, ACTION).subject

    assert subject("onboarding_sequence", "case_study", industry="Logistics", tier="pro") == "Of logistics"
    assert subject("onboarding_sequence", "case_study", industry="Mining", tier="pro") == "Of retail"
    assert subject("onboarding_sequence", "case_study", industry="Mining") == "For all"
    assert subject("renewal_ladder", "expansion_story", industry="Logistics") == "For all"
    assert subject("renewal_ladder", "expansion_story", industry="retail") == "Of retail"


def test_a_wrong_brand_is_refused_with_line_and_field(config: Path):
    (config / "templates").mkdir(parents=True)
    path = config / "templates" / "brand.yaml"
    path.write_text("colours:\n  accent: green\n")
    with pytest.raises(UserError, match=rf"{re.escape(str(path))}:2: colours\.accent"):
        Renderer(Settings(home=config, config=config))


# What is refused before anybody is enrolled -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "text", "line"),
    [
        ("crm", "---\ntitle: x\n---\nOne\nTwo {{ acount_name }}\n", 5),
        ("crm", "---\ntitle: >-\n  x {{ acount_name }}\n---\nOne\n", 3),
        ("crm", "---\ntitle: x\n---\n{% if false %}\n{{ acount_name }}\n{% endif %}\n", 5),
        ("slack", 'text: x\nblocks:\n  - type: header\n    text: {type: plain_text, text: "{{ acount_name }}"}\n', 4),
        (
            "email",
            "---\nsubject: x\npreview: x\n---\n{% extends '_layout.mjml.j2' %}\n{% block content %}\n"
            "<mj-section><mj-column><mj-text>{{ acount_name }}</mj-text></mj-column></mj-section>\n{% endblock %}\n",
            7,
        ),
    ],
)
def test_an_unknown_variable_is_named_with_template_line_and_what_was_perhaps_meant(
    config: Path, channel: str, text: str, line: int
):
    path = write_template(config, channel, text)
    assert f"{path}:{line}: 'acount_name' is not known here; did you mean account_name?" in refusal(config, channel)


def test_a_fact_of_another_trigger_is_unknown(config: Path):
    write_template(config, "crm", "---\ntitle: x\n---\n{{ renewal_window }}\n")
    assert "'renewal_window' is not known here" in refusal(config, "crm")


def test_a_value_that_can_be_missing_must_be_asked_for_first(config: Path):
    path = write_template(config, "crm", "---\ntitle: x\n---\nSeats:\n{{ seats }}\n")
    words = refusal(config, "crm")
    assert f"{path}:5: 'seats' is missing for this account" in words
    assert "of which nothing is known" in words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("---\ntitle: x\n---\n{{ arr | mony }}\n", ":4: No filter named 'mony'."),
        ("---\ntitle: x\n---\n{% if arr %}\n", ":4: Unexpected end of template"),
        ("---\ntitle: x\n---\n{{ account_name.__class__ }}\n", ":4: "),
        ("---\ntitle: x\n---\n{{ account_name | money }}\n", ":4: expected a number, got str"),
        ("---\ntitle: x\n---\n{{ 1 / 0 }}\n", ":4: division by zero"),
        ("---\ntitle: x\n---\n{{ brand.color }}\n", ":4: 'dict object' has no attribute 'color'"),
        ("---\ntitle: x\n---\n{% include 'nothing.txt.j2' %}\n", ":4: 'nothing.txt.j2' not found in search path"),
        ("no front matter", ":1: expected ---, the fields title, and --- before the body"),
        ("---\ntitle: x\n", ":1: expected ---"),
        ("---\ntitel: x\n---\n", ":1: expected exactly the fields title"),
        ("---\ntitle: [x]\n---\n", ":1: title: expected a text"),
        ("---\ntitle: {x\n---\n", ":3: is not YAML"),
    ],
)
def test_a_broken_template_is_refused_in_words(config: Path, text: str, words: str):
    path = write_template(config, "crm", text)
    assert f"{path}{words}" in refusal(config, "crm")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ": is empty"),
        ("text: x\n", ":1: expected the fields text and blocks"),
        ("text: [x]\nblocks: []\n", ":1: text: expected a text"),
        ("text: x\nblocks: y\n", ":1: blocks: expected a list of blocks"),
        ("text: x\nblocks: [y]\n", ":1: blocks: expected a list of blocks"),
        ("text: {x\n", ":2: is not YAML"),
    ],
)
def test_a_slack_template_of_another_shape_is_refused(config: Path, text: str, words: str):
    path = write_template(config, "slack", text)
    assert f"{path}{words}" in refusal(config, "slack")


def test_a_mail_that_is_no_mjml_is_refused(config: Path):
    head = "---\nsubject: x\npreview: x\n---\n"
    path = write_template(config, "email", head + "<mjml><mj-body><mj-section></mj-body></mjml>")
    assert f"{path}: does not make a sound MJML document" in refusal(config, "email")


def test_a_template_that_is_not_there_is_named_with_where_it_was_looked_for(config: Path):
    config.mkdir()
    words = refusal(config, "crm")
    assert "there is no template mine for crm" in words
    assert str(config / "templates" / "crm" / "mine.txt.j2") in words


def test_a_file_that_is_not_utf_8_is_refused(config: Path):
    path = write_template(config, "crm", "")
    path.write_bytes(b"---\ntitle: \xff\n---\n")
    assert f"{path}: is not UTF-8" in refusal(config, "crm")


def test_every_problem_of_a_playbook_is_told_at_once(config: Path):
    config.mkdir()
    playbook = playbook_with("crm")
    two = playbook.model_copy(update={"steps": (*playbook.steps, step("slack", "neither"))})
    with pytest.raises(UserError) as raised:
        Renderer(Settings(home=config, config=config)).check(two)
    assert len(str(raised.value).splitlines()) == 2


def _mrkdwn(node: object) -> list[dict]:
    if isinstance(node, list):
        return [text for each in node for text in _mrkdwn(each)]
    if isinstance(node, dict):
        return ([node] if node.get("type") == "mrkdwn" else []) + _mrkdwn(list(node.values()))
    return []
