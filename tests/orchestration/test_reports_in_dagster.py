"""Reports in Dagster: an asset each, a job a rhythm, and schedules that wait for what reports are made of."""

from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.assets.reports import build_reports, report_key
from cs_pipeline.orchestration.build import build_defs
from cs_pipeline.orchestration.keys import HEALTH_SCORES, KPIS, ROUTED_FEEDBACK, TICKET_SLA
from cs_pipeline.orchestration.report_schedules import build_report_schedules
from cs_pipeline.reports.dated.catalogue import KINDS, kind_named
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company

TUESDAY = MONDAY.replace(hour=9) + timedelta(days=1)


def test_every_report_is_an_asset_of_the_job_of_its_rhythm_and_comes_after_what_it_is_made_of() -> None:
    repository = build_defs(Settings()).get_repository_def()
    for kind in KINDS.values():
        key = report_key(kind)
        assert key in repository.get_job(f"{kind.rhythm}_reports").asset_layer.executable_asset_keys
        made_of = {"scores": HEALTH_SCORES, "kpis": KPIS, "feedback": ROUTED_FEEDBACK, "tickets": TICKET_SLA}
        assert made_of[kind.needs] in repository.asset_graph.get(key).parent_keys
    for schedule in (each for each in repository.schedule_defs if each.name.endswith("_reports_schedule")):
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def send(company: Company, settings: Settings, **config: str) -> dg.ExecuteInProcessResult:
    name = report_key(kind_named("at_risk_review")).to_python_identifier()
    return dg.materialize(
        [asset for asset in build_reports() if asset.key == report_key(kind_named("at_risk_review"))],
        resources={"warehouse": company.warehouse, "settings": settings, "clock": Clock(MONDAY)},
        run_config={"ops": {name: {"config": config}}},
        raise_on_error=False,
    )


def test_a_run_plans_the_report_once_and_shows_no_person(company: Company, settings: Settings) -> None:
    company.account("acme", severity=2)
    company.metrics("acme", account_name="Acme", owner_email="olga@ours.example", arr=12_000)
    planned = []
    for _ in range(2):
        (done,) = send(company, settings).get_asset_materialization_events()
        shown = done.step_materialization_data.materialization.metadata
        planned.append(shown["planned_for"].value)
        assert "1 account at risk with $12,000 ARR" in str(shown["headline"].value)
        assert "olga" not in str(shown)
    assert planned == [2, 0]
    assert company.run("select report, period::text, owner from cs.reports order by owner") == [
        ("at_risk_review", "2025-03-03", ""),
        ("at_risk_review", "2025-03-03", "olga@ours.example"),
    ]


@pytest.mark.parametrize(
    ("as_of", "words"),
    [
        ("2025-03-03", "at_risk_review, week of 24 February 2025, is not sent: the week of 2025-02-24 is not scored"),
        ("soon", "as_of: expected a day such as 2025-06-02, got 'soon'"),
    ],
)
def test_a_period_without_scores_is_not_sent_and_says_what_to_run(
    company: Company, settings: Settings, as_of: str, words: str
) -> None:
    company.account("acme", severity=2)
    failed = send(company, settings, as_of=as_of)
    assert not failed.success
    (failure,) = failed.filter_events(lambda event: event.is_step_failure)
    assert words in str(failure.step_failure_data.error)
    assert company.run("select count(*) from cs.actions") == [(0,)]


def test_a_schedule_waits_for_the_scores_and_at_its_last_look_lets_the_run_say_what_is_missing(
    company: Company,
) -> None:
    (weekly,) = [each for each in build_report_schedules() if each.name == "weekly_reports_schedule"]

    def look(moment: datetime) -> Any:  # what a tick gives has no public name
        resources = {"clock": Clock(moment), "warehouse": company.warehouse}
        return weekly.evaluate_tick(dg.build_schedule_context(resources=resources))

    assert "is not scored" in (look(MONDAY).skip_message or "")
    (last,) = look(TUESDAY).run_requests or []
    company.account("acme", severity=2)
    (request,) = look(MONDAY).run_requests or []
    assert request.run_key == last.run_key == "weekly_reports:2025-03-03"


def test_reports_of_kpis_wait_until_these_are_complete(company: Company) -> None:
    company.run("create table marts.fct_kpis (month date, is_complete boolean)")
    company.run("insert into marts.fct_kpis values ('2025-02-01', false)")
    (monthly,) = [each for each in build_report_schedules() if each.name == "monthly_reports_schedule"]
    company.score(company.account("acme"), 1, week=MONDAY.date().replace(day=3) - timedelta(weeks=2))

    def look() -> Any:
        first = Clock(MONDAY.replace(day=1))
        return monthly.evaluate_tick(
            dg.build_schedule_context(resources={"clock": first, "warehouse": company.warehouse})
        )

    assert "KPIs of February 2025 are not built from sources loaded since" in (look().skip_message or "")
    company.run("update marts.fct_kpis set is_complete = true")
    (request,) = look().run_requests or []
    assert request.run_key == "monthly_reports:2025-02-01"
