"""The account card: eight fields, as known at a moment."""

import json
from datetime import datetime, timedelta

import pytest
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.errors import UserError
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.reports.accounts.card import AccountCard, account_card, card_lines
from cs_pipeline.reports.dated.words import Money
from cs_pipeline.settings import Settings
from tests.builders.alerts import fire
from tests.builders.company import MONDAY, WEEK, Company, save_play


def card(company: Company, account: str = "acme", as_of: datetime = MONDAY, *, is_strict: bool = False) -> AccountCard:
    with company.warehouse.session() as session:
        return account_card(session, account, as_of, Money("$"), is_strict=is_strict)


def touch(company: Company, held_at: datetime, **values: object) -> None:
    company.insert(
        "staging.stg_touchpoints",
        **{"account_id": "acme", "kind": "call", "held_at": held_at, "is_missed": False, "_loaded_at": None} | values,
    )


@pytest.mark.requirement("S3-97")
def test_the_card_has_eight_fields_as_text_and_as_json(
    company: Company, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(settings.home))
    monkeypatch.setenv("CS_PIPELINE_NOW", MONDAY.isoformat())
    company.account("acme", severity=1)
    company.metrics("acme", tier="pro", arr=12_000, lifecycle_stage="adoption", renewal_date=MONDAY.date())
    touch(company, MONDAY - timedelta(days=3))
    enrol(company.warehouse, save_play(), [company.fall("acme")], settings, MONDAY)

    def run(*arguments: str) -> str:
        return CliRunner().invoke(app, ["report", "card", *arguments], catch_exceptions=False).output

    assert " ".join(run("Acme").split()) == (
        "CUSTOMER: Acme TIER: Pro HEALTH_SCORE: 60 (Yellow) STAGE: Adoption LAST_CONTACT: 2025-03-07 "
        "NEXT_ACTION: 2025-03-10 guide (email, point of contact) PRIORITY: high "
        "NOTES: Pays $12,000 a year. Renews on 10 March 2025. In play: Yellow."
    )
    found = json.loads(run("acme", "--json"))
    assert list(found) == [
        "customer", "tier", "health_score", "stage", "last_contact", "next_action", "priority", "notes",
    ]  # fmt: skip
    assert found["health_score"] == {"score": 60.0, "band": "Yellow"}
    assert json.loads(run("acme", "--json", "--as-of", "2025-03-06"))["last_contact"] is None


def test_the_card_says_how_likely_the_account_is_to_leave(company: Company) -> None:
    company.account("acme", severity=1)
    assert "90 days" not in card(company).notes
    company.run(
        """
            insert into cs.score_calibrations (
                week, model, model_version, observations, departures, score_from, likelihood, low, high
            )
            select distinct week, model, model_version, 400, 40, '{0,70}'::float8[], '{0.2,0.03}'::float8[],
                '{0.15,0.02}'::float8[], '{0.26,0.05}'::float8[]
            from cs.health_scores
        """
    )
    assert "Of accounts with such a score, 20.0% (15.0% to 26.0%) left within 90 days." in card(company).notes


@pytest.mark.requirement("S3-97", "C-51")
@pytest.mark.parametrize(("score", "strictly"), [(80, "Green"), (79.96, "Yellow"), (50, "Yellow"), (49.9, "Red")])
def test_strict_bands_are_80_and_50_whatever_the_model_says(company: Company, score: float, strictly: str) -> None:
    company.account("acme", severity=0)
    company.run("update cs.health_scores set score = %s, band = 'Thriving'", score)
    assert card(company).health_score.band == "Thriving"
    assert card(company, is_strict=True).health_score.band == strictly


@pytest.mark.requirement("S3-97", "S3-23")
def test_the_stage_is_the_lifecycles_unless_the_account_is_at_risk_or_expanding(
    company: Company, settings: Settings
) -> None:
    company.account("acme", severity=1)
    company.metrics("acme", lifecycle_stage="retention")
    assert card(company).stage == "Retention"
    play = save_play(family="expansion")
    enrol(company.warehouse, play, [company.fall("acme")], settings, MONDAY)
    assert card(company).stage == "Expansion"
    assert card(company, as_of=MONDAY - timedelta(hours=1)).stage == "Retention"
    company.score("acme", 2)
    assert card(company).stage == "At-Risk"


@pytest.mark.requirement("S3-97")
def test_the_priority_follows_what_is_at_stake(company: Company) -> None:
    company.account("acme", severity=0)
    company.metrics("acme", renewal_date=MONDAY.date() + timedelta(days=91))
    assert card(company).priority == "low"
    company.run("update marts.fct_account_weeks set renewal_date = renewal_date - 1")
    assert card(company).priority == "medium"
    company.score("acme", 1)
    assert card(company).priority == "medium"
    company.run("update marts.fct_account_weeks set renewal_date = %s", MONDAY.date() + timedelta(days=30))
    assert card(company).priority == "high"
    company.run("update marts.fct_account_weeks set renewal_date = null")
    company.score("acme", 2)
    assert card(company).priority == "high"
    company.score("acme", 3)
    assert card(company).priority == "urgent"
    company.score("acme", 0)
    fire(company.warehouse, "invoice_overdue", "acme", "i1", severity="urgent", measured=11)
    assert card(company).priority == "urgent"
    assert "Open alerts: Invoice i1 is 11 days overdue." in card(company).notes
    assert card(company, as_of=MONDAY - timedelta(days=1)).priority == "low"


def test_contact_counts_when_it_was_held_and_known(company: Company) -> None:
    company.account("acme")
    touch(company, MONDAY + timedelta(days=1))
    touch(company, MONDAY - timedelta(days=1), is_missed=True)
    touch(company, MONDAY - timedelta(days=2), _loaded_at=MONDAY + timedelta(hours=1))
    assert card(company).last_contact is None
    touch(company, MONDAY - timedelta(days=5), _loaded_at=MONDAY - timedelta(days=4))
    assert card(company).last_contact == (MONDAY - timedelta(days=5)).date()


def test_an_account_of_which_little_is_known_has_a_card_all_the_same(company: Company) -> None:
    company.account("acme", tier=None)
    assert list(card_lines(card(company))) == [
        "CUSTOMER: Acme",
        "TIER: unknown",
        "HEALTH_SCORE: unknown",
        "STAGE: unknown",
        "LAST_CONTACT: none known",
        "NEXT_ACTION: Nothing is planned",
        "PRIORITY: low",
        "NOTES: Nothing stands out.",
    ]
    company.score("acme", 3, WEEK - timedelta(weeks=5))
    assert card(company).health_score.score is None, "an old score is none"


def test_an_account_that_is_not_there_is_said_to_be_so(company: Company) -> None:
    company.account("acme")
    with pytest.raises(UserError, match="There was no account 'bolt' on 2025-03-10"):
        card(company, "bolt")
    with pytest.raises(UserError, match="There was no account 'acme' on 2023-01-01"):
        card(company, as_of=datetime.fromisoformat("2023-01-01T00:00+00:00"))
