"""Time goes where most is at stake: ARR times risk."""

from datetime import timedelta

import dagster as dg
import pytest
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.assets.reviews import QueueConfig, queue_of_work
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.reports.plays.work_queue import RISK_UNKNOWN, account_lines, work_queue, work_queue_table
from cs_pipeline.settings import Settings
from tests.builders.alerts import fire
from tests.builders.company import MONDAY, WEEK, Company, save_play

SCORES = {0: 90, 1: 60, 2: 45, 3: 20}  # of the test company, by severity


def ranked(company: Company, **chosen: object) -> list[tuple[str, float]]:
    with company.warehouse.session() as session:
        found = work_queue(session, MONDAY, **chosen)  # pyright: ignore[reportArgumentType]
    return list(zip(found["account_id"], found["at_stake"].astype(float).round(1), strict=True))


@pytest.mark.requirement("S3-33")
def test_accounts_are_ranked_by_arr_times_risk(company: Company) -> None:
    company.account("small-and-red", severity=3, arr=10_000.0)
    company.account("large-and-well", severity=0, arr=100_000.0)
    company.account("middling", severity=2, arr=40_000.0)
    company.account("unknown", arr=10_000.0)
    company.account("free", severity=3, arr=None)
    company.account("gone", severity=3, arr=900_000.0, churned_at=MONDAY - timedelta(days=1))
    company.account("to-come", severity=3, arr=900_000.0, created_at=MONDAY + timedelta(days=1))
    assert ranked(company) == [
        ("middling", 40_000 * (100 - SCORES[2]) / 100),
        ("large-and-well", 10_000.0),
        ("small-and-red", 8_000.0),
        ("unknown", 10_000 * RISK_UNKNOWN),
        ("free", 0.0),
    ]
    assert [account for account, _ in ranked(company, limit=2)] == ["middling", "large-and-well"]


@pytest.mark.requirement("S3-33")
def test_who_has_asked_to_cancel_is_at_stake_whole(company: Company) -> None:
    company.account("well", severity=0, arr=10_000.0)
    company.account("leaving", severity=0, arr=9_000.0)
    company.metrics("leaving", has_cancellation_request=True)
    assert ranked(company) == [("leaving", 9_000.0), ("well", 1_000.0)]


def test_an_old_score_is_none(company: Company) -> None:
    company.account("silent", arr=10_000.0)
    company.score("silent", 3, WEEK - timedelta(weeks=5))
    assert ranked(company) == [("silent", 10_000 * RISK_UNKNOWN)]


def test_an_owner_sees_their_own_accounts(company: Company) -> None:
    company.account("hers", severity=1)
    company.account("his", severity=1, owner_email="Otto@ours.example")
    assert [account for account, _ in ranked(company, owner="otto@ours.example")] == ["his"]


@pytest.mark.requirement("S3-33")
def test_each_row_says_why_and_what_is_being_done(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1, is_bad_fit=True)
    company.metrics("acme", renewal_date=MONDAY.date() + timedelta(days=30))
    company.run(
        "update cs.score_models set metrics = '{logins_7d,seat_utilisation,nps_response}', max_points = '{10,20,5}'"
    )
    company.run("update cs.health_scores set points = '{8,5,5}', metric_values = '{1,1,1}', contributions = '{8,5,5}'")
    enrol(company.warehouse, save_play(), [company.fall("acme")], settings, MONDAY)
    company.run("update cs.actions set status = 'sent' where step = 'guide'")
    with company.warehouse.session() as session:
        (row,) = work_queue_table(work_queue(session, MONDAY)).to_dict("records")
    assert row == {
        "account": "Acme",
        "account_id": "acme",
        "owner": "olga@ours.example",
        "at_stake": 4_800.0,
        "arr": 12_000.0,
        "band": "Yellow (60)",
        "why": "bad fit, seats in use, logins in 7 days",
        "renews_in_days": 30,
        "alerts": "",
        "play": "Yellow",
        "next": "2025-03-12 check (crm, owner)",
    }


def test_the_command_and_the_asset_show_the_same(
    company: Company, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(settings.home))
    monkeypatch.setenv("CS_PIPELINE_NOW", MONDAY.isoformat())

    def run(*arguments: str) -> str:
        return " ".join(CliRunner().invoke(app, ["queue", *arguments], catch_exceptions=False).output.split())

    assert run() == "There is no account yet."
    company.account("acme", severity=1)
    assert run() == "1. Acme (acme): 4,800 at stake ARR 12,000, Yellow (60), olga@ours.example"
    assert run("--owner", "nobody@ours.example") == "nobody@ours.example owns no account."
    company.run("update marts.dim_accounts set account_name = e'A\\x1b[2J\\n2. Bolt \\u202e[/x]'")
    assert run().startswith(r"1. A\x1b[2J\n2. Bolt \u202e[/x] (acme): 4,800 at stake")
    company.run("update marts.dim_accounts set account_name = 'Acme'")
    result = queue_of_work(QueueConfig(), warehouse=company.warehouse, clock=Clock(MONDAY))
    assert isinstance(result, dg.MaterializeResult)
    assert result.metadata is not None
    (record,) = result.metadata["queue"].records  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
    assert (record.data["account"], record.data["at_stake"]) == ("Acme", 4_800.0)
    assert "@" not in str(record.data)  # Dagster keeps it, and a person can ask to be erased


def test_a_row_tells_its_most_severe_alerts_and_how_many_more_there_are(company: Company) -> None:
    company.account("acme", severity=1)
    for place, severity in enumerate(("low", "high", "urgent", "medium", "high"), start=1):
        fire(company.warehouse, "invoice_overdue", "acme", f"i{place}", severity=severity, measured=10 + place)
    fire(
        company.warehouse,
        "invoice_overdue",
        "acme",
        "snoozed",
        severity="urgent",
        snoozed_until=MONDAY + timedelta(days=1),
    )
    fire(company.warehouse, "invoice_overdue", "acme", "held", severity="urgent", is_held=True)
    fire(company.warehouse, "invoice_overdue", "acme", "waiting", severity="urgent", state="pending")
    with company.warehouse.session() as session:
        (row,) = work_queue_table(work_queue(session, MONDAY)).to_dict("records")
    assert row["alerts"] == (
        "urgent: Invoice i3 is 13 days overdue; high: Invoice i2 is 12 days overdue; "
        "high: Invoice i5 is 15 days overdue; 2 more"
    )
    assert f"Alerts: {row['alerts']}" in account_lines(row)
