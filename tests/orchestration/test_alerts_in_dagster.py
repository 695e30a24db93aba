"""Alerts in the Dagster UI: who evaluates them and when, and what the asset shows."""

from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from cs_pipeline.alerts.evaluate import evaluate_due
from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.asset_checks.rule_health import RULE_IS_HEALTHY, build_rule_health
from cs_pipeline.orchestration.assets.alert_scorecards import alert_scorecards
from cs_pipeline.orchestration.assets.alerts import build_alerts
from cs_pipeline.orchestration.build import build_defs
from cs_pipeline.orchestration.jobs.alert_decisions import decide_on_alerts, decide_on_held_alerts, silence_alerts
from cs_pipeline.orchestration.jobs.alert_replay import replay_alerts
from cs_pipeline.orchestration.keys import (
    ALERTS,
    BACKFILL_TAG,
    LIVE,
    ORIGIN_TAG,
    PARTITION_TAG,
    RANGE_END_TAG,
    RANGE_START_TAG,
)
from cs_pipeline.orchestration.rule_views import build_rule_views_that_changed
from cs_pipeline.orchestration.schedules import build_schedules
from cs_pipeline.reports.alerts.alert_story import tell_alert
from cs_pipeline.reports.alerts.counts import fired_by_week, open_by_rule
from cs_pipeline.settings import Settings
from tests.builders.alerts import fire, view_of
from tests.builders.company import MONDAY, WEEK, Company
from tests.builders.sample_history import COMPANY, History

RULE = "invoice_overdue"


def evaluate(
    company: Company,
    settings: Settings,
    tags: dict[str, str] | None = None,
    at: datetime = MONDAY,
    instance: dg.DagsterInstance | None = None,
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [build_alerts([])],
        instance=instance,
        resources={"warehouse": company.warehouse, "settings": settings, "clock": Clock(at)},
        tags=tags,
    )


def shown(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = result.asset_materializations_for_node("cs__alerts")
    return {name: value.value for name, value in event.metadata.items()}


def health(result: dg.ExecuteInProcessResult) -> tuple[bool, str | None]:
    (check,) = result.get_asset_check_evaluations()
    assert check.severity is dg.AssetCheckSeverity.WARN
    return check.passed, check.description


def test_rules_that_are_due_are_evaluated_and_shown(company: Company, settings: Settings) -> None:
    company.account("acme")
    view_of(company, RULE, [("acme", "i1", 12.0)])
    fire(company.warehouse, RULE, "acme", "i1", measured=12)  # else it would be the baseline, which is no list of work
    result = evaluate(company, settings)
    (event,) = result.asset_materializations_for_node("cs__alerts")
    open_alerts = event.metadata["open_alerts"]
    assert isinstance(open_alerts, dg.TableMetadataValue)
    assert [record.data["what"] for record in open_alerts.records] == ["Invoice i1 is 12 days overdue"]
    assert "@" not in str(event.metadata), "Dagster keeps what it shows"
    assert company.column("select state from cs.alerts") == ["firing"]
    assert RULE not in str(
        evaluate(company, settings).asset_materializations_for_node("cs__alerts")[0].metadata["evaluations"]
    )


def test_what_is_open_and_what_fired_is_drawn(company: Company, settings: Settings) -> None:
    nothing = shown(evaluate(company, settings))
    assert nothing["open"] == 0
    fire(company.warehouse, RULE, "acme", "i1")
    fire(company.warehouse, RULE, "acme", "i2", severity="low", fired_at=MONDAY - timedelta(days=8))
    fire(company.warehouse, RULE, "acme", "i3", is_held=True, is_baseline=True)
    with company.warehouse.session() as session:
        assert open_by_rule(session).to_numpy().tolist() == [[RULE, "high", 1], [RULE, "low", 1]]
        fired = [[date(2025, 2, 24), "low", 1], [date(2025, 3, 10), "high", 1]]
        assert fired_by_week(session, MONDAY, 3).to_numpy().tolist() == fired
        assert fired_by_week(session, MONDAY, 2).to_numpy().tolist() == fired[1:]
    drawn = shown(evaluate(company, settings))
    assert drawn["open"] == 2
    for name in ("open_by_rule", "fired_by_week"):
        assert str(drawn[name]).startswith("![")
        assert drawn[name] != nothing[name], "an empty chart says so"


@pytest.mark.requirement("C-12")
@pytest.mark.parametrize(
    "tags", [{PARTITION_TAG: f"{WEEK}"}, {RANGE_START_TAG: f"{WEEK}", RANGE_END_TAG: f"{WEEK}"}, {BACKFILL_TAG: "b"}]
)
def test_a_backfill_evaluates_nothing(company: Company, settings: Settings, tags: dict[str, str]) -> None:
    company.account("acme")
    view_of(company, RULE, [("acme", "i1", 12.0)])
    assert shown(evaluate(company, settings, tags))["evaluated"] == 0
    assert company.column("select count(*) from cs.alert_evaluations") == [0]


def test_the_schedules_run_of_a_week_asks_the_weekly_rules_and_no_others(company: Company, settings: Settings) -> None:
    company.account("acme")
    view_of(company, RULE, [("acme", "i1", 12.0)])
    evaluate(company, settings, {PARTITION_TAG: f"{WEEK}", ORIGIN_TAG: LIVE})
    assert RULE not in company.column("select rule from cs.alert_evaluations")


def test_a_rule_without_data_is_a_warning_with_the_reason(company: Company, settings: Settings) -> None:
    view_of(company, RULE, [], invoices_at=MONDAY.replace(year=2024))
    passed, words = health(evaluate(company, settings))
    assert not passed
    assert f"{RULE} (no_data)" in str(words)
    assert "csat_low" not in str(words), "there are no tickets, so there is nothing to say"


def reported(instance: dg.DagsterInstance, rule: str) -> list[tuple[bool, str | None]]:
    """What the check at the view of a rule said, the newest first."""
    check = dg.AssetCheckKey(dg.AssetKey(["alerts", rule]), RULE_IS_HEALTHY)
    records = instance.event_log_storage.get_asset_check_execution_history(check, limit=20)
    found = [record.event.asset_check_evaluation for record in records if record.event]
    return [(each.passed, each.description) for each in found if each]


@pytest.mark.requirement("S5-25")
def test_which_rule_is_ill_is_seen_at_its_view_and_only_what_is_new_is_kept(
    company: Company, settings: Settings
) -> None:
    view_of(company, RULE, [], invoices_at=MONDAY.replace(year=2024))
    with dg.DagsterInstance.ephemeral() as instance:
        evaluate(company, settings, instance=instance)
        ((passed, words),) = reported(instance, RULE)
        assert not passed
        assert str(words).startswith("invoices has no row newer than")
        assert [passed for passed, _ in reported(instance, "csat_low")] == [True], "its tables are absent"
        company.run("update staging.stg_invoices set issued_on = %s", MONDAY.date())
        tomorrow = MONDAY + timedelta(days=1)
        evaluate(company, settings, at=tomorrow, instance=instance)
        assert reported(instance, RULE)[0] == (True, "asked and believed")
        evaluate(company, settings, at=tomorrow + timedelta(days=1), instance=instance)
        assert len(reported(instance, RULE)) == 2
        assert len(reported(instance, "csat_low")) == 1
        company.run("drop view alerts.invoice_overdue")
        evaluate(company, settings, at=tomorrow + timedelta(days=2), instance=instance)
        passed, words = reported(instance, RULE)[0]
        assert not passed
        assert "dbt build --select invoice_overdue" in str(words)

        views = [dg.AssetKey(["alerts", name]) for name in (RULE, "csat_low", "no_rule")]
        assert dg.materialize(
            [*map(dg.AssetSpec, views), build_rule_health(views)],
            selection=dg.AssetSelection.all_asset_checks(),
            resources={"warehouse": company.warehouse, "settings": settings, "clock": Clock(MONDAY)},
            instance=instance,
        ).success
        assert {name: reported(instance, name)[0][0] for name in (RULE, "csat_low", "no_rule")} == {
            RULE: False,
            "csat_low": True,
            "no_rule": False,
        }


def test_alerts_belong_to_the_weekly_job_and_the_hourly_one_starts_no_dbt() -> None:
    repository = build_defs(Settings()).get_repository_def()
    views = {key for key in repository.asset_graph.get_all_asset_keys() if key.path[0] == "alerts"}
    assert dg.AssetKey(["alerts", RULE]) in views
    weekly = repository.get_job("weekly_health")
    assert ALERTS in weekly.asset_layer.executable_asset_keys
    assert not views & set(weekly.asset_layer.executable_asset_keys), "they stand; a hundred events say nothing new"
    assert "health_of_alert_rules" not in {node.name for node in weekly.nodes}
    assert repository.get_job("evaluate_alerts").asset_layer.executable_asset_keys == {ALERTS}
    assert views <= repository.asset_graph.get(ALERTS).parent_keys
    checked = {check.asset_key for check in repository.asset_graph.asset_check_keys if check.name == RULE_IS_HEALTHY}
    assert checked == views
    assert all(repository.asset_graph.get(key).group_name == "alerts" for key in {*views, ALERTS})


def test_a_view_that_is_missing_is_built_before_rules_are_asked_and_told_to_its_asset(
    history: History, settings: Settings
) -> None:
    @dg.asset
    def asked(context: dg.AssetExecutionContext) -> None:
        build_rule_views_that_changed(context, history.warehouse, settings, COMPANY.ends_at.isoformat())

    def built() -> set[str]:
        events = dg.materialize([asked]).get_asset_materialization_events()
        return {event.asset_key.to_user_string() for event in events if event.asset_key} - {"asked"}

    with history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(f"drop view alerts.{RULE}")
    assert f"alerts/{RULE}" in built()
    assert history.count(f"alerts.{RULE}") >= 0
    assert built() == set(), "now they stand"


def test_an_hour_is_asked_about_once(company: Company, settings: Settings) -> None:
    (schedule,) = [each for each in build_schedules(settings) if each.name == "evaluate_alerts_schedule"]
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    context = dg.build_schedule_context(resources={"clock": Clock(MONDAY), "warehouse": company.warehouse})
    (request,) = schedule.evaluate_tick(context).run_requests or []
    assert request.run_key == "evaluate_alerts:2025-03-10T12"


def decide(company: Company, settings: Settings, job: dg.JobDefinition, op: str, **config: object) -> str | None:
    result = job.execute_in_process(
        run_config={"ops": {op: {"config": config}}},
        resources={"warehouse": company.warehouse, "settings": settings, "clock": Clock(MONDAY)},
    )
    (event,) = result.get_asset_observation_events()
    return event.asset_observation_data.asset_observation.description


def test_people_decide_about_alerts_in_the_launchpad(company: Company, settings: Settings) -> None:
    alert = fire(company.warehouse, RULE, "acme", "i1")
    told = decide(company, settings, decide_on_alerts, "decide_alerts", decision="acknowledge", alerts=[alert])
    assert told == "1 acknowledged"
    decide(
        company, settings, decide_on_alerts, "decide_alerts", decision="snooze", alerts=[alert], days=2, reason="soon"
    )
    assert company.run("select acknowledged_by, snooze_reason from cs.alerts") == [("dagster", "soon")]
    told = decide(company, settings, silence_alerts, "set_silence", rule=RULE, reason="feed is moved")
    assert told == "invoice_overdue is silent until 2025-03-17 12:00 UTC"
    assert decide(company, settings, silence_alerts, "set_silence", lift=1) == "silence 1 is lifted"
    with pytest.raises(UserError, match="holds nothing"):
        decide(company, settings, decide_on_held_alerts, "decide_held", rule=RULE, decision="release")
    fire(company.warehouse, RULE, "bolt", "i2", is_held=True)
    told = decide(company, settings, decide_on_held_alerts, "decide_held", rule=RULE, decision="dismiss")
    assert told == "1 alerts of invoice_overdue are dismissed"


def test_what_is_found_is_told_in_the_digest_of_the_next_morning(company: Company, settings: Settings) -> None:
    company.account("acme", severity=1)
    tuesday = MONDAY + timedelta(days=1)
    view_of(company, RULE, [])
    evaluate(company, settings)
    view_of(company, RULE, [("acme", "i1", 12.0)])
    assert shown(evaluate(company, settings, at=tuesday))["digests"] == 0
    assert company.run("select kind, recipient from cs.alert_notifications") == [("new", "olga@ours.example")]
    assert shown(evaluate(company, settings, at=tuesday + timedelta(hours=22)))["digests"] == 1
    with company.warehouse.session() as session:
        story = tell_alert(session, load_rules(None), 1, tuesday)
    assert list(story.tables["Who was told"]["recipient"]) == ["olga@ours.example"]


def test_a_replay_in_the_launchpad_shows_what_would_have_fired_and_on_whom(
    scored_history: History, settings: Settings
) -> None:
    resources = {"warehouse": scored_history.warehouse, "settings": settings, "clock": Clock(COMPANY.ends_at)}
    config = {"rules": [RULE], "first_day": f"{COMPANY.first_week}", "parameters": ["days=3"]}
    result = replay_alerts.execute_in_process(
        run_config={"ops": {"replay_rules": {"config": config}}}, resources=resources
    )
    (event,) = result.get_asset_observation_events()
    told = event.asset_observation_data.asset_observation
    assert str(told.description).startswith("A replay; nothing was written, nobody was told.")
    assert "@" not in str(told.metadata), "Dagster keeps what it shows"
    assert scored_history.count("cs.alerts") == 0
    with pytest.raises(UserError, match="There is no alert rule 'invoices'"):
        replay_alerts.execute_in_process(
            run_config={"ops": {"replay_rules": {"config": {"rules": ["invoices"]}}}}, resources=resources
        )


def test_scorecards_are_kept_by_month_and_shown_as_a_page(history: History, settings: Settings) -> None:
    resources = {"warehouse": history.warehouse, "settings": settings, "clock": Clock(COMPANY.ends_at)}
    for days in (2, 1):
        evaluate_due(history.warehouse, settings, COMPANY.ends_at - timedelta(days=days))
    result = dg.materialize([alert_scorecards], resources=resources)
    (event,) = result.asset_materializations_for_node("cs__alert_scorecards")
    page = Path(str(event.metadata["page"].value)).read_text(encoding="utf-8")
    assert RULE in page
    assert str(event.metadata["lift"].value).startswith("![")
    assert history.count("cs.alert_scorecards", f"rule = '{RULE}' and verdict = 'too few to tell'") == 1
