"""What stops an action for good, guard by guard, and what each guard lets pass."""

from datetime import timedelta

import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import deliver

MAIL = {"step": "s", "day": 0, "channel": "email", "to": "champion", "template": "t"}


def outcome(
    company: Company,
    settings: Settings,
    clock: Clock,
    intent: str,
    family: str = "expansion",
    **step: object,
) -> tuple[str, str | None]:
    """State and reason of one step for the account `acme`, taken today."""
    play = save_play(family=family, exit=[], steps=[MAIL | {"intent": intent} | step])
    enrol(company.warehouse, play, [company.fall("acme")], settings, MONDAY)
    company.run("update cs.actions set status = 'planned' where status = 'awaiting_approval'")
    deliver(company.warehouse, settings, clock)
    ((status, reason),) = company.run("select status, reason from cs.actions")
    return status, reason


READY = {"open_complaints": 0, "days_since_last_login": 1, "feature_adoption_ratio": 0.8, "overdue_invoices": 0}
NOT_READY = [
    pytest.param("struggling", {"open_critical_tickets": 1}, marks=pytest.mark.requirement("S3-63")),
    pytest.param("open_complaints", {"open_complaints": 1}, marks=pytest.mark.requirement("S3-64")),
    pytest.param("low_usage", {"days_since_last_login": 8}, marks=pytest.mark.requirement("S3-65")),
    pytest.param("low_usage", {"feature_adoption_ratio": 0.39}, marks=pytest.mark.requirement("S3-65")),
    pytest.param("financial_difficulty", {"overdue_invoices": 1}, marks=pytest.mark.requirement("S3-66")),
    pytest.param("just_onboarded", {"tenure_days": 30}, marks=pytest.mark.requirement("S3-67")),
]


def acme(company: Company, facts: dict[str, float]) -> None:
    """The account, ready to be asked for more but for `facts`."""

    tenure = facts.pop("tenure_days", 31)
    company.account("acme", severity=1, created_at=MONDAY - timedelta(days=tenure))
    company.metrics("acme", **READY | {"open_critical_tickets": 0} | facts)  # pyright: ignore[reportArgumentType]


@pytest.mark.requirement("C-26", "S3-68")
@pytest.mark.parametrize("intent", ["ask", "offer"])
@pytest.mark.parametrize(("reason", "facts"), NOT_READY)
def test_an_account_that_is_not_ready_is_asked_for_nothing(
    company: Company, settings: Settings, clock: Clock, reason: str, facts: dict[str, float], intent: str
) -> None:
    acme(company, dict(facts))
    assert outcome(company, settings, clock, intent) == ("suppressed", reason)


@pytest.mark.requirement("S3-63")
def test_an_account_at_risk_is_asked_for_nothing(company: Company, settings: Settings, clock: Clock) -> None:
    acme(company, {})
    company.score("acme", 2)
    assert outcome(company, settings, clock, "ask", to="owner", channel="crm") == ("suppressed", "struggling")


@pytest.mark.requirement("C-26")
@pytest.mark.parametrize("intent", ["educate", "inform"])
@pytest.mark.parametrize(("reason", "facts"), NOT_READY)
def test_an_account_that_is_not_ready_is_helped_all_the_same(
    company: Company, settings: Settings, clock: Clock, reason: str, facts: dict[str, float], intent: str
) -> None:
    acme(company, dict(facts))
    assert outcome(company, settings, clock, intent) == ("sent", None)


def test_an_account_that_is_ready_is_asked(company: Company, settings: Settings, clock: Clock) -> None:
    acme(company, {})
    assert outcome(company, settings, clock, "ask") == ("sent", None)


@pytest.mark.requirement("S3-68")
def test_what_is_not_known_of_an_account_does_not_speak_against_it(
    company: Company, settings: Settings, clock: Clock
) -> None:
    company.account("acme", severity=1)
    assert outcome(company, settings, clock, "offer") == ("sent", None)


@pytest.mark.requirement("C-27", "S4-93")
@pytest.mark.parametrize("family", ["save", "winback"])
def test_an_offer_to_keep_a_customer_reaches_who_struggles(
    company: Company, settings: Settings, clock: Clock, family: str
) -> None:
    acme(company, {"open_critical_tickets": 1, "overdue_invoices": 1})
    assert outcome(company, settings, clock, "offer", family) == ("sent", None)


@pytest.mark.requirement("S3-46", "C-27")
@pytest.mark.parametrize("family", ["save", "winback", "expansion"])
@pytest.mark.parametrize("intent", ["ask", "offer"])
def test_who_does_not_fit_is_neither_asked_nor_offered_anything(
    company: Company, settings: Settings, clock: Clock, family: str, intent: str
) -> None:
    acme(company, {})
    company.run("update marts.dim_accounts set is_bad_fit = true")
    assert outcome(company, settings, clock, intent, family) == ("suppressed", "bad_fit")


@pytest.mark.requirement("C-27")
def test_an_offer_waits_for_approval_whether_the_step_says_so_or_not(company: Company, settings: Settings) -> None:
    acme(company, {})
    play = save_play(steps=[MAIL | {"intent": "offer"}])
    assert enrol(company.warehouse, play, [company.fall("acme")], settings, MONDAY).actions == {"awaiting_approval": 1}
