"""The pack of a business review: six parts, native charts and tables, the team's own template, nothing internal."""

import re
import shutil
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pytest
from pptx import Presentation
from pptx.presentation import Presentation as Deck
from pptx.shapes.placeholder import SlidePlaceholder
from pptx.util import Inches

from cs_pipeline.errors import UserError
from cs_pipeline.reports.business_review.pack import business_review
from cs_pipeline.reports.business_review.template import PART, layout_named, shipped_template
from cs_pipeline.reports.dated.words import Money
from tests.builders.sample_history import COMPANY, History

PARTS = ["Goals", "Usage", "Value delivered", "Feedback", "Roadmap", "Actions, both sides"]


@pytest.fixture(scope="module")
def account(scored_history: History) -> str:
    """A customer of whom much is known."""
    ((found,),) = scored_history.rows(
        """
        select account_id
        from staging.stg_value_log
        where account_id in (select account_id from staging.stg_tickets)
            and account_id in (select account_id from marts.fct_account_weeks where week = (
                select max(week) from marts.fct_account_weeks))
        group by account_id
        order by count(*) desc, account_id
        limit 1
        """
    )
    return str(found)


def pack(history: History, account: str, end: date = COMPANY.ends_on, **options: object) -> Deck:
    with history.warehouse.session() as session:
        return business_review(session, account, end, history.settings, Money("$"), **options)  # pyright: ignore[reportArgumentType]


def reopened(deck: Deck, path: Path) -> Deck:
    deck.save(str(path))
    return Presentation(str(path))


def titles(deck: Deck) -> list[str]:
    return [slide.shapes.title.text_frame.text for slide in deck.slides if slide.shapes.title is not None]


def words(deck: Deck) -> str:
    said: list[str] = []
    for slide in deck.slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                said.append(shape.text_frame.text)  # pyright: ignore[reportAttributeAccessIssue]
            if shape.has_table:
                rows = shape.table.rows  # pyright: ignore[reportAttributeAccessIssue]
                said += [cell.text for row in rows for cell in row.cells]
    return "\n".join(said)


@pytest.mark.requirement("S3-38", "S3-39")
def test_a_pack_has_six_parts_with_native_charts_and_tables_and_room_for_notes(
    scored_history: History, account: str, tmp_path: Path
) -> None:
    deck = reopened(pack(scored_history, account), tmp_path / "pack.pptx")
    assert titles(deck)[0].startswith("Business review: ")
    assert titles(deck)[1:] == PARTS
    by_title = dict(zip(titles(deck), deck.slides, strict=True))
    for part in ("Usage", "Value delivered"):
        shapes = {shape.name: shape for shape in by_title[part].shapes}
        assert shapes["chart"].has_chart, "a chart that PowerPoint can edit, not a picture"
        assert shapes["table"].has_table
    assert not any(shape.shape_type == 13 for slide in deck.slides for shape in slide.shapes), "no picture"
    for part in PARTS:
        notes = next(shape for shape in by_title[part].placeholders if shape.name == "notes")
        assert isinstance(notes, SlidePlaceholder)
        assert notes.text_frame.text == "", "the account's own notes are for a person to write"


@pytest.mark.requirement("S3-38", "S4-189", "S5-30")
def test_the_value_of_the_period_is_that_of_its_rows(scored_history: History, account: str) -> None:
    deck = pack(scored_history, account)
    first = date(COMPANY.ends_on.year, COMPANY.ends_on.month, COMPANY.ends_on.day)
    ((total,),) = scored_history.rows(
        f"""
        select round(sum(amount)) from staging.stg_value_log
        where account_id = '{account}' and recorded_on < '{first}'
            and recorded_on >= date '{first}' - interval '3 months'
        """
    )
    assert f"${total:,.0f} of value is recorded for this period." in words(deck)


@pytest.mark.requirement("S4-55")
def test_an_executive_review_has_strategy_and_expansion_as_well(scored_history: History, account: str) -> None:
    deck = pack(scored_history, account, is_executive=True)
    assert titles(deck)[0].startswith("Executive business review: ")
    assert titles(deck)[1:] == [*PARTS[:-1], "Strategy", "Expansion opportunities", PARTS[-1]]


def test_a_pack_of_a_past_day_knows_nothing_later(scored_history: History, account: str) -> None:
    end = COMPANY.ends_on - timedelta(weeks=10)
    before = words(pack(scored_history, account, end))
    with scored_history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("delete from raw.value_log where recorded_on >= %s", [str(end)])
        cursor.execute("delete from raw.tickets where created_at >= %s", [str(end)])
        cursor.execute("delete from raw.feedback where created_at >= %s", [str(end)])
        deck = business_review(session, account, end, scored_history.settings, Money("$"))
        session.rollback()
    assert words(deck) == before


def test_a_customer_reads_nothing_that_is_ours_alone(scored_history: History, account: str) -> None:
    said = words(pack(scored_history, account, is_executive=True)).lower()
    bands = scored_history.rows("select distinct lower(band) from cs.health_scores where band is not null")
    assert [band for (band,) in bands if re.search(rf"\b{band}\b", said)] == []
    assert "score" not in said
    assert "at risk" not in said


def test_an_account_of_which_little_is_known_gets_questions_instead_of_empty_slides(scored_history: History) -> None:
    ((quiet,),) = scored_history.rows(
        """
        select min(account_id) from marts.dim_accounts
        where account_id not in (select account_id from raw.value_log)
        """
    )
    assert "No value is recorded for this period" in words(pack(scored_history, str(quiet)))


def test_the_teams_template_gives_the_look_and_its_own_slides_go(
    scored_history: History, account: str, tmp_path: Path
) -> None:
    own = shipped_template()
    own.slides.add_slide(layout_named(own, PART))
    layout = layout_named(own, PART)
    next(each for each in layout.placeholders if each.name == "chart").left = Inches(5)
    own.save(str(tmp_path / "qbr.pptx"))
    deck = pack(scored_history, account, template=tmp_path / "qbr.pptx")
    assert titles(deck)[1:] == PARTS
    chart = next(shape for shape in list(deck.slides)[2].shapes if shape.name == "chart")
    assert chart.left == Inches(5)


@pytest.mark.parametrize("lost", ["title", "findings", "chart", "table", "notes"])
def test_a_template_that_lacks_a_placeholder_is_told_which(
    scored_history: History, account: str, tmp_path: Path, lost: str
) -> None:
    own = shipped_template()
    next(each for each in layout_named(own, PART).placeholders if each.name == lost).name = "Something 7"
    own.save(str(tmp_path / "qbr.pptx"))
    with pytest.raises(UserError, match=f"qbr.pptx: the layout 'Part' has no placeholder named '{lost}'; it has: "):
        pack(scored_history, account, template=tmp_path / "qbr.pptx")


def test_a_template_that_is_none_is_told(scored_history: History, account: str, tmp_path: Path) -> None:
    (tmp_path / "qbr.pptx").write_text("not a zip")
    with pytest.raises(UserError, match="is no PowerPoint file"):
        pack(scored_history, account, template=tmp_path / "qbr.pptx")
    own = shipped_template()
    layout_named(own, PART).name = "Mine"
    own.save(str(tmp_path / "other.pptx"))
    with pytest.raises(UserError, match="has no layout named 'Part'; it has: Cover, Mine"):
        pack(scored_history, account, template=tmp_path / "other.pptx")


def test_an_account_that_is_not_there_is_told(scored_history: History) -> None:
    with pytest.raises(UserError, match="There was no account 'nobody' before"):
        pack(scored_history, "nobody")


@pytest.mark.slow(seconds=15)
def test_the_pack_opens_in_another_office(scored_history: History, account: str, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not here: apt-get install --no-install-recommends libreoffice-impress")
    pack(scored_history, account, is_executive=True).save(str(tmp_path / "pack.pptx"))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    subprocess.run(
        [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(tmp_path / "pack.pptx")],
        check=True,
        capture_output=True,
        timeout=300,
    )
    assert (tmp_path / "pack.pdf").read_bytes().count(b"/Type/Page\n") + (tmp_path / "pack.pdf").read_bytes().count(
        b"/Type/Page/"
    ) == 9
