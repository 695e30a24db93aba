"""Adaptive Cards: nothing in a value becomes markup, nothing is too large, and what is empty is not shown."""

import json

import pytest

from cs_pipeline.channels.adaptive_cards import LARGEST, escape_markdown, fit, kept, markdown_as_html, markdown_link


@pytest.mark.parametrize(
    "value",
    ["**bold**", "_it_", "[x](https://evil.example)", "<at>olga@example.com</at>", "~~gone~~", "`code`"],
)
def test_no_value_is_read_as_markup(value: str):
    html = markdown_as_html(escape_markdown(value))
    assert not [tag for tag in ("<strong", "<em", "<a ", "<span", "<s>", "<code") if tag in html]


def test_an_underscore_inside_a_word_stays():
    assert escape_markdown("cs_pipeline_action") == "cs_pipeline_action"


def test_a_link_holds_whatever_its_label_and_its_address_hold():
    link = markdown_link("a] (b) [c", "https://x.example/a(1) b?q=_1_")
    assert link == "[a) (b) (c](https://x.example/a%281%29%20b?q=_1_)"
    assert markdown_as_html(link).count("<a ") == 1


def test_markup_of_a_template_is_shown_as_teams_does():
    shown = markdown_as_html("**Score** 35 <b> [Open](https://ui/a?b=1&c=2)\n- one\n_so_")
    assert shown == (
        '<strong>Score</strong> 35 &lt;b&gt; <a href="https://ui/a?b=1&amp;c=2">Open</a><br>• one<br><em>so</em>'
    )


@pytest.mark.parametrize(
    ("element", "left"),
    [
        ({"type": "TextBlock", "text": ""}, None),
        ({"type": "TextBlock", "text": "a"}, {"wrap": True, "type": "TextBlock", "text": "a"}),
        ({"title": "ARR", "value": ""}, None),
        ({"type": "FactSet", "facts": []}, None),
        ({"type": "Action.OpenUrl", "title": "Open", "url": ""}, None),
        ({"type": "ActionSet", "actions": []}, None),
        ({"type": "Container", "items": []}, None),
        ({"type": "Image", "url": "https://x.example/1.png"}, {"type": "Image", "url": "https://x.example/1.png"}),
    ],
)
def test_what_came_out_empty_is_not_shown(element: dict, left: dict | None):
    assert kept(element) == left


def test_a_card_never_outgrows_what_teams_takes_and_says_what_is_missing():
    fitted = fit([{"type": "TextBlock", "text": "ж" * 3_000} for _ in range(40)])
    assert len(json.dumps(fitted, ensure_ascii=False).encode()) < LARGEST + 500
    assert fitted[-1]["text"] == "… and 37 more parts that do not fit into a Teams message."


def test_a_long_text_is_cut_and_a_link_is_not_cut_in_half():
    link = markdown_link("Open", "https://ui.example/" + "a" * 200)
    (cut,) = fit([{"type": "TextBlock", "text": "x" * 3_900 + link}])
    assert cut["text"] == "x" * 3_900 + "…"
