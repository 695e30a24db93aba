"""Slack's limits and escaping, and how its markup reads."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_pipeline.channels.slack_blocks import escape_mrkdwn, fit, mrkdwn_as_html


def section(text: str) -> dict:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


@pytest.mark.parametrize("text", ["<!channel>", "<@U123>", "<https://evil.example|your bank>", "&lt;!here&gt;"])
def test_no_mention_or_link_comes_out_of_customer_text(text: str):
    assert not re.search("[<>]", escape_mrkdwn(text))


@given(st.text())
def test_escaped_text_holds_no_sign_that_slack_acts_on(text: str):
    escaped = escape_mrkdwn(text)
    assert not re.search(r"[<>*~`]", escaped)
    assert not re.search(r"&(?!(amp|lt|gt);)", escaped)
    assert not re.search(r"(?<!\w)_|_(?!\w)", escaped)


def test_an_underscore_inside_a_word_stays():
    assert escape_mrkdwn("seat_utilisation of _Acme_") == "seat_utilisation of ˍAcmeˍ"


@given(st.text())
def test_escaped_text_reads_as_it_was_written(text: str):
    plain = re.sub(r"[\x02\x03]", "", text)
    look_alikes = str.maketrans("∗∼ˋˍ", "*~`_")
    html = str(mrkdwn_as_html(escape_mrkdwn(plain)))
    shown = html.replace("<br>", "\n")
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&#34;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        shown = shown.replace(entity, sign)
    assert shown.translate(look_alikes) == plain.translate(look_alikes)


@pytest.mark.parametrize(
    ("mrkdwn", "html"),
    [
        ("*bold* and _it_ ~no~ `code`", "<strong>bold</strong> and <em>it</em> <s>no</s> <code>code</code>"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("<https://a.example/_x_?a=1&amp;b=2|*name*>", '<a href="https://a.example/_x_?a=1&amp;b=2">*name*</a>'),
        ("<javascript:alert(1)|x>", "x"),
        ("<!channel>", '<span class="mention">@channel</span>'),
        ("a\nb", "a<br>b"),
    ],
)
def test_markup_is_drawn_as_slack_draws_it(mrkdwn: str, html: str):
    assert mrkdwn_as_html(mrkdwn) == html


def test_a_section_is_cut_at_3000_characters_with_an_ellipsis():
    text = fit([section("x" * 4_000)])[0]["text"]["text"]
    assert len(text) == 3_000
    assert text.endswith("…")


def test_a_section_of_3000_characters_stays_whole():
    assert fit([section("x" * 3_000)]) == [section("x" * 3_000)]


@pytest.mark.parametrize("tail", ["&amp;" * 30, "<https://example.com/a/very/long/link|here>" * 3])
@pytest.mark.parametrize("shift", range(8))
def test_a_cut_never_falls_inside_an_entity_or_a_link(tail: str, shift: int):
    text = fit([section("x" * (2_950 + shift) + tail * 3)])[0]["text"]["text"]
    assert len(text) <= 3_000
    assert re.fullmatch(r"x+(&amp;|<[^<>]*>)*…", text)


def test_51_blocks_become_49_and_a_line_that_counts_the_rest():
    fitted = fit([section(str(number)) for number in range(51)])
    assert len(fitted) == 50
    assert "2 more parts" in fitted[-1]["elements"][0]["text"]


def test_50_blocks_stay():
    blocks = [section(str(number)) for number in range(50)]
    assert fit(blocks) == blocks


def test_blocks_too_long_together_are_cut_short_of_slacks_limit():
    fitted = fit([section("x" * 2_900) for _ in range(10)])
    assert len(fitted) == 5
    assert "6 more parts" in fitted[-1]["elements"][0]["text"]


def test_headers_fields_and_buttons_keep_their_own_limits():
    blocks = fit(
        [
            {"type": "header", "text": {"type": "plain_text", "text": "h" * 200}},
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "f" * 2_100}]},
            {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "b" * 90}}]},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "c"}] * 12},
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "f"}] * 12},
        ]
    )
    assert len(blocks[0]["text"]["text"]) == 150
    assert len(blocks[1]["fields"][0]["text"]) == 2_000
    assert len(blocks[2]["elements"][0]["text"]["text"]) == 75
    assert len(blocks[3]["elements"]) == 10
    assert len(blocks[4]["fields"]) == 10
