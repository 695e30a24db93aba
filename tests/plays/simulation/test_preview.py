"""A play as its readers would see it, before anybody is enrolled."""

from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.errors import UserError
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.simulation.preview import Preview, preview
from cs_pipeline.reports.plays.page import preview_page
from cs_pipeline.reports.plays.text import preview_refusal
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, WEEK, Company, save_play

LIBRARY = load_playbooks(None)
STEPS = [
    {"step": "guide", "day": 0, "channel": "email", "to": "point_of_contact", "template": "yellow_quick_guide",
     "intent": "educate"},
    {"step": "post", "day": 1, "channel": "slack", "to": "team", "template": "red_alert_owner", "intent": "inform"},
    {"step": "call", "day": 2, "channel": "crm", "to": "owner", "template": "red_discovery_call", "intent": "ask",
     "when": "arr > 1000000"},
]  # fmt: skip


def shown(company: Company, settings: Settings, play: Playbook, account: str) -> Preview:
    with company.warehouse.session() as session:
        return preview(session, play, account, Renderer(settings), AsOf(settings, MONDAY))


def outcomes(found: Preview) -> dict[str, str | None]:
    return {step.step.step: step.stopped_by for step in found.steps}


def test_every_step_is_written_for_its_reader_with_the_facts_of_the_account(
    company: Company, settings: Settings
) -> None:
    company.account("acme", severity=1, account_name="Acme Ltd")
    company.fall("acme")
    found = shown(company, settings, save_play(steps=STEPS), "acme")
    assert found.refused is None
    assert "2025-03-10" in found.cause
    assert [(step.step.step, step.recipient, step.due_at.date()) for step in found.steps] == [
        ("guide", "ada@acme.example", date(2025, 3, 10)),
        ("post", "#customer-success", date(2025, 3, 11)),
        ("call", "olga@ours.example", date(2025, 3, 12)),
    ]
    guide = found.steps[0].message
    assert guide is not None
    assert "Ada" in guide.body_text
    page = preview_page(found, settings)
    assert "Acme Ltd" in page
    assert "preview, not sent" in page
    assert "arr &gt; 1000000" in page


def test_a_step_that_would_be_stopped_says_why(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    company.run("update marts.dim_contacts set unsubscribed_at = %s", MONDAY - timedelta(days=1))
    found = shown(company, settings, save_play(steps=STEPS), "acme")
    assert outcomes(found) == {"guide": "unsubscribed", "post": None, "call": "condition"}
    assert "made up" in found.cause
    company.run("delete from marts.dim_contacts")
    assert outcomes(shown(company, settings, save_play(steps=STEPS), "acme"))["guide"] == "no_recipient"


def test_a_play_that_would_not_begin_says_why_and_is_shown_all_the_same(company: Company, settings: Settings) -> None:
    company.account("acme", severity=0)
    found = shown(company, settings, save_play(steps=STEPS), "acme")
    assert found.refused == "recovered"
    assert "the play ends when severity == 0" in preview_page(found, settings)
    assert all(step.message is not None for step in found.steps)


def test_a_play_for_others_says_which_of_its_demands_the_account_does_not_meet(
    company: Company, settings: Settings
) -> None:
    company.account("acme", severity=1, account_name="Acme Ltd", tier="starter")
    play = save_play(steps=STEPS, audience="severity == 1 and tier in ('pro', 'enterprise') and arr > 1000000")
    found = shown(company, settings, play, "acme")
    assert found.refused == "audience"
    told = preview_refusal(found)
    assert "tier in ('pro', 'enterprise') (tier is starter) and arr > 1000000 (arr is " in told
    assert "severity" not in told
    assert "(tier is starter)" in preview_page(found, settings)


def test_a_made_up_trigger_is_no_reason_not_to_begin(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    play = save_play(steps=STEPS, trigger={"kind": "score_change", "when": "to_severity == 3"})
    company.fall("acme")
    found = shown(company, settings, play, "acme")
    assert "made up" in found.cause
    assert found.refused is None


def test_a_change_that_opened_no_trigger_is_told_as_well(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    company.insert(
        "cs.score_changes",
        week=WEEK, account_id="acme", model="weekly_points", model_version="v1", from_severity=0, to_severity=1,
        from_score=81.0, to_score=61.0, delta=-20.0, from_band="Green", to_band="Yellow", cause="behaviour",
        driver_metrics=[], driver_deltas=[], driver_causes=[], origin="backfill",
    )  # fmt: skip
    found = shown(company, settings, save_play(steps=STEPS), "acme")
    assert "score change of 2025-03-03" in found.cause
    call = found.steps[2].message
    assert call is not None
    assert "from 81 (Green) to 61 (Yellow)" in call.body_text


def test_days_of_a_renewal_play_count_from_the_next_renewal(company: Company, settings: Settings) -> None:
    company.account("acme", severity=0)
    play = LIBRARY["renewal_ladder"]
    with pytest.raises(UserError, match=r"renewal.*acme.*none ahead"):
        shown(company, settings, play, "acme")
    company.term("s1", "acme", MONDAY.date() + timedelta(days=100))
    found = shown(company, settings, play, "acme")
    first = found.steps[0]
    day = MONDAY.date() + timedelta(days=100 + first.step.day)
    assert day <= first.due_at.date() <= day + timedelta(days=4)  # week-ends and holidays move it on


def test_every_shipped_playbook_can_be_shown_and_nothing_is_written(company: Company, settings: Settings) -> None:
    company.account("acme", severity=2)
    company.metrics("acme", seat_utilisation=0.3)
    company.term("s1", "acme", MONDAY.date() + timedelta(days=50))
    before = company.written()
    for play in LIBRARY.values():
        found = shown(company, settings, play, "acme")
        assert [step.problem for step in found.steps if step.problem and step.recipient] == []
        assert preview_page(found, settings)
    assert company.written() == before


def test_what_a_customer_calls_itself_does_not_break_out_of_the_page(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1, account_name="<script>alert(1)</script>")
    page = preview_page(shown(company, settings, save_play(steps=STEPS), "acme"), settings)
    assert "<script>alert" not in page


def test_the_command_shows_the_steps_and_writes_the_page(
    company: Company, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.account("acme", severity=2)
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(settings.home))
    monkeypatch.setenv("CS_PIPELINE_NOW", MONDAY.isoformat())
    settings.home.mkdir()
    page = settings.home / "page.html"
    said = CliRunner().invoke(
        app, ["play", "preview", "yellow_adoption", "acme", "--output", str(page)], catch_exceptions=False
    )
    assert "olga@ours.example" in said.output
    assert page.read_text().startswith("<!doctype html>")
    for arguments, told in (
        (["play", "preview", "no_such", "acme"], "There is no playbook 'no_such'; there are: "),
        (["play", "preview", "yellow_adoption", "nobody"], "There is no account 'nobody'"),
        (["play", "preview", "yellow_adoption", "acme", "--output", str(page / "x")], "is not a folder"),
    ):
        with pytest.raises(UserError, match=told):
            CliRunner().invoke(app, arguments, catch_exceptions=False)
