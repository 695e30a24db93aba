"""The weekly review says who fell into risk, who is worse or better, who is left alone, and what renews."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.reports.dated.catalogue import kind_named, make_report
from cs_pipeline.reports.dated.page import report_page
from cs_pipeline.reports.dated.readiness import require_owner
from cs_pipeline.reports.dated.report import Report
from cs_pipeline.settings import Settings
from tests.builders.alerts import fire
from tests.builders.company import MONDAY, WEEK, Company

BEFORE = WEEK - timedelta(days=7)


def account(
    company: Company, name: str, severity: int | None, before: int | None, *, arr: float = 12_000.0, **week: Any
) -> None:
    """An account with a severity of the week and of the week before."""
    owner = str(week.pop("owner_email", "olga@ours.example"))
    company.account(name, arr=arr, owner_email=owner)
    company.metrics(name, account_name=name.title(), owner_email=owner, arr=arr, **week)
    if severity is not None:
        company.score(name, severity)
    if before is not None:
        company.score(name, before, BEFORE)


def review(company: Company, settings: Settings, moment: datetime = MONDAY, owner: str = "") -> Report:
    with company.warehouse.session() as session:
        return make_report(session, kind_named("at_risk_review"), settings, moment, owner)


def names(report: Report, title: str) -> list[str]:
    (table,) = [each for each in report.tables if each.title == title]
    return [row[0] for row in table.rows]


@pytest.mark.requirement("S3-77")
def test_accounts_stand_where_their_two_last_scores_put_them(company: Company, settings: Settings) -> None:
    account(company, "fell", 2, 0, arr=30_000)
    account(company, "fresh", 3, None, arr=5_000)
    account(company, "worse", 3, 2)
    account(company, "still", 2, 2)
    account(company, "better", 2, 3)
    account(company, "saved", 0, 2)
    account(company, "well", 0, 0)
    account(company, "watched", 1, 0)
    account(company, "unknown", None, None)
    found = review(company, settings)
    assert names(found, "Newly at risk") == ["Fell", "Fresh"]
    assert names(found, "At risk and worse") == ["Worse"]
    assert names(found, "Still at risk") == ["Still"]
    assert names(found, "Better, or out of risk") == ["Better", "Saved"]
    assert found.headline == "5 accounts at risk with $71,000 ARR, 2 of them new"
    assert found.changes[0] == "ARR at risk rose from $48,000 to $71,000 of $119,000."
    assert found.changes[1] == "Accounts at risk rose from 4 to 5: 2 new, 1 recovered."
    assert "1 account of 9 has no score." in found.notes


@pytest.mark.requirement("C-10")
def test_what_counts_as_at_risk_is_the_models_to_say(company: Company, settings: Settings) -> None:
    company.run("""update cs.score_models set definition = '{"at_risk_from": 1}'""")
    account(company, "watched", 1, 0)
    assert names(review(company, settings), "Newly at risk") == ["Watched"]


@pytest.mark.requirement("S3-77")
def test_decisions_name_who_is_left_alone_and_what_renews(company: Company, settings: Settings) -> None:
    soon, late = date(2025, 6, 7), date(2025, 6, 8)  # 89 and 90 days after the week's end
    account(company, "silent", 2, 2, days_since_last_touchpoint=14, renewal_date=late)
    account(company, "spoken", 2, 2, days_since_last_touchpoint=13, renewal_date=soon)
    account(company, "leaving", 0, 0, has_cancellation_request=True, renewal_date=MONDAY.date(), arr=7_000)
    found = review(company, settings)
    assert found.decisions == (
        "Who talks to the 1 account at risk that nobody talked to in 14 days ($12,000 ARR): Silent?",
        "What is offered to the 1 account at risk that renews within 90 days ($12,000 ARR)?",
        "Who answers 1 request to cancel ($7,000 ARR): Leaving?",
    )
    assert names(found, "Renewals within 90 days, by ARR") == ["Spoken", "Leaving"]


@pytest.mark.requirement("S3-77")
def test_a_past_week_is_reviewed_as_it_was(company: Company, settings: Settings) -> None:
    account(company, "acme", 0, 3)
    company.metrics("acme", BEFORE, account_name="Acme", owner_email="otto@ours.example", arr=5_000)
    fire(company.warehouse, "invoice_overdue", "acme", "i1", fired_at=MONDAY - timedelta(days=8))
    fire(company.warehouse, "no_login", "acme", "acme", fired_at=MONDAY - timedelta(days=1))
    then = review(company, settings, MONDAY - timedelta(days=3))
    assert then.period.first == BEFORE
    assert then.headline == "1 account at risk with $5,000 ARR, 1 of them new"
    assert names(then, "Alerts that fired") == ["Invoice overdue"]
    assert names(review(company, settings), "Alerts that fired") == ["No login"]
    assert report_page(review(company, settings, MONDAY - timedelta(days=3)), str) == report_page(then, str)
    assert "otto@ours.example" not in str(review(company, settings, MONDAY, "otto@ours.example").tables)


def test_an_owner_reads_of_their_own_accounts_alone(company: Company, settings: Settings) -> None:
    account(company, "hers", 2, 0)
    account(company, "his", 2, 0, owner_email="Otto@ours.example")
    found = review(company, settings, owner="otto@ours.example")
    assert names(found, "Newly at risk") == ["His"]
    assert found.headline == "1 account at risk with $12,000 ARR, 1 of them new"


def test_a_week_without_scores_says_so(company: Company, settings: Settings) -> None:
    found = review(company, settings)
    assert found.headline == "no account has a score for this week"
    assert found.decisions == ("Nothing this week.",)
    assert [table.rows for table in found.tables] == [()] * len(found.tables)


def test_a_long_week_shows_the_largest_and_counts_the_rest(company: Company, settings: Settings) -> None:
    for place in range(30):
        account(company, f"a{place:02}", 2, 0, arr=1_000.0 + place)
    (table,) = [each for each in review(company, settings).tables if each.title == "Newly at risk"]
    assert (table.rows[0][0], len(table.rows), table.more) == ("A29", 25, 5)


def test_an_owner_who_is_not_known_is_told_the_one_that_may_be_meant(company: Company, settings: Settings) -> None:
    account(company, "hers", 2, 0)
    with company.warehouse.session() as session:
        require_owner(session, "Olga@ours.example", review(company, settings).period)
        with pytest.raises(UserError, match=r"olag@ours.example owned no account .*; did you mean olga@ours.example"):
            require_owner(session, "olag@ours.example", review(company, settings).period)
        with pytest.raises(UserError, match="owners were: olga"):
            require_owner(session, "x@y", review(company, settings).period)
