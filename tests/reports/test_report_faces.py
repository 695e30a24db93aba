"""One report, three faces: a page, a mail with its charts inside, a Slack message with table and pictures."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser

import altair as alt
import pandas as pd
import pytest

from cs_pipeline.channels.slack_blocks import MOST_BLOCKS
from cs_pipeline.reports.dated.mail import MailWriter
from cs_pipeline.reports.dated.page import report_page
from cs_pipeline.reports.dated.periods import Period, last_ended
from cs_pipeline.reports.dated.pictures import pictures_of
from cs_pipeline.reports.dated.report import Column, Figure, Report, Table
from cs_pipeline.reports.dated.slack import slack_blocks
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY

CHART = alt.Chart(pd.DataFrame({"week": ["2025-03-03"], "arr": [1_200]})).mark_bar().encode(x="week:O", y="arr:Q")
REPORT = Report(
    name="at_risk_review",
    title="At-risk review",
    period=Period("weekly", date(2025, 3, 3), date(2025, 3, 10)),
    headline="2 accounts at risk with $1,200 ARR",
    changes=("ARR at risk rose from $1,000 to $1,200.",),
    decisions=("Who calls <Acme> & Söhne?",),
    tables=(
        Table(
            "Newly at risk",
            (Column("Account"), Column("ARR", is_number=True), Column("Why")),
            (("<b>Acme</b> & Söhne", "$1,200", "*logins* −5"), ("Ω", "$0", "")),
            empty="Nobody.",
            accounts=("acme/1", ""),
            more=3,
        ),
        Table("Better", (Column("Account"),), (), empty="Nobody got better."),
    ),
    figures=(Figure("arr_at_risk", "ARR at risk rose to $1,200.", CHART),),
    notes=("1 account has no score.",),
)


def url(account: str) -> str:
    return f"https://cs.example/accounts/{account}"


def mail(settings: Settings, report: Report = REPORT) -> tuple[str, str]:
    return MailWriter(settings, url).write(report, "https://cs.example/reports/at_risk_review/2025-03-03")


def in_order(text: str, *words: str) -> bool:
    places = [text.find(each) for each in words]
    return -1 not in places and places == sorted(places)


SAID = (
    "ARR at risk rose from",
    "Söhne?",
    "Newly at risk",
    "And 3 more",
    "Nobody got better.",
    "rose to $1,200.",
    "no score",
)


@pytest.mark.requirement("S3-77")
def test_each_face_says_what_changed_then_what_to_decide_then_tables_then_charts(settings: Settings) -> None:
    page = re.sub(r"aria-label=\"[^\"]*\"", "", report_page(REPORT, url))
    text, html = mail(settings)
    assert in_order(page, *SAID)
    assert in_order(html, *SAID)
    assert in_order(text, *SAID)
    shown = json.dumps(slack_blocks(REPORT), ensure_ascii=False)
    assert in_order(shown, "ARR at risk rose from", "Söhne?", "Newly at risk", "arr_at_risk", "no score")


def test_names_are_text_wherever_they_stand(settings: Settings) -> None:
    for html in (report_page(REPORT, url), mail(settings)[1]):
        assert "<b>Acme" not in html
        assert "&lt;b&gt;Acme&lt;/b&gt; &amp; Söhne" in html
    blocks = slack_blocks(REPORT)
    (table,) = [block for block in blocks if block["type"] == "table"]
    assert table["rows"][1][0] == {"type": "raw_text", "text": "<b>Acme</b> & Söhne"}
    assert "Who calls &lt;Acme&gt; &amp; Söhne?" in json.dumps(blocks, ensure_ascii=False)


class Images(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append(dict(attrs))


def test_a_mail_shows_its_charts_by_content_id_at_half_their_size_and_says_what_is_to_be_seen(
    settings: Settings,
) -> None:
    (picture,) = pictures_of(REPORT)
    (image,) = Images(mail(settings)[1]).found
    assert (image["src"], image["alt"]) == (f"cid:{picture.name}", "ARR at risk rose to $1,200.")
    assert image["width"] == "540"
    assert picture.png.startswith(b"\x89PNG")
    assert picture.alt_text == image["alt"]


def test_a_mail_stays_below_what_gmail_cuts_off(settings: Settings) -> None:
    row = ("A rather long name of a company, with its legal form Ltd.", "$1,234,567", "seats in use −10, logins −20")
    table = replace(REPORT.tables[0], rows=(row,) * 500, accounts=("account-0001",) * 500)
    text, html = mail(settings, replace(REPORT, tables=(table,) * 8))
    assert len(html.encode()) < 100_000
    assert "more." in text, "what is left out is counted"


def test_a_slack_message_has_one_table_and_stays_within_its_limits() -> None:
    long = replace(REPORT.tables[0], rows=(("x" * 200, "$1", "y" * 200),) * 90)
    blocks = slack_blocks(
        replace(REPORT, tables=(long, long, long), figures=REPORT.figures * 9), "https://cs.example/r"
    )
    assert len(blocks) <= MOST_BLOCKS
    (table,) = [block for block in blocks if block["type"] == "table"]
    assert len(table["rows"]) == 13
    assert all(cell["text"] for row in table["rows"] for cell in row), "Slack takes no empty cell"
    assert "81 more rows" in json.dumps(blocks)
    assert "<https://cs.example/r|Open the report>" in json.dumps(blocks)


def test_accounts_lead_to_their_pages(settings: Settings) -> None:
    for html in (report_page(REPORT, url), mail(settings)[1]):
        assert 'href="https://cs.example/accounts/acme/1"' in html


def test_periods_are_the_last_that_had_ended() -> None:
    assert last_ended("weekly", MONDAY) == Period("weekly", date(2025, 3, 3), date(2025, 3, 10))
    assert last_ended("weekly", MONDAY - timedelta(hours=13)).first == date(2025, 2, 24)
    month = last_ended("monthly", MONDAY)
    assert (month.first, month.end, month.words) == (date(2025, 2, 1), date(2025, 3, 1), "February 2025")
    assert month.last_week == date(2025, 2, 17), "the week that ended on 24 February; the next ended in March"
    quarter = last_ended("quarterly", MONDAY)
    assert (quarter.first, quarter.end, quarter.words) == (date(2024, 10, 1), date(2025, 1, 1), "Q4 2024")
    assert quarter.before.first == date(2024, 7, 1)
    assert last_ended("weekly", MONDAY).words == "week of 3 March 2025"


def test_a_figure_with_its_sign_and_per_cent_stays_on_one_line(settings: Settings) -> None:
    report = replace(REPORT, changes=("ARR moved by −$131, +6.9 % of <all>.",))
    for html in (report_page(report, url), mail(settings, report)[1]):
        kept = re.findall(r'<span style="white-space: ?nowrap;?">([^<]*)</span>', html)
        assert kept[:2] == ["−$131,", "+6.9 %"]
        assert "of &lt;all&gt;." in html
    assert "ARR moved by −$131, +6.9 % of <all>." in mail(settings, report)[0]
