"""The weekly job: as a backfill it only writes history; as the schedule's run it starts plays, once."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.keys import LIVE, ORIGIN_TAG
from cs_pipeline.warehouse.advisory_locks import alone
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.databases import OF_THIS_DATABASE
from tests.builders.sample_history import COMPANY, LAST_WEEK, SCORED_UNTIL, WEEK, History
from tests.conftest import CopyDatabase
from tests.waiting import wait_until

pytestmark = pytest.mark.slow(seconds=10)

RECORD = (
    "select * from cs.health_scores order by week, account_id, model, model_version",
    "select * from cs.parent_scores order by week, account_id, model, model_version",
    "select * from cs.score_changes order by week, account_id, model, model_version",
    "select * from cs.renewal_windows order by subscription_id, renewal_date, renewal_window",
    "select * from marts.fct_account_weeks order by week, account_id",
)

SURVEYS_ONLY = """
model: surveys_only
title: Surveys only
coverage_floor: 0.5
dimensions:
  - dimension: opinion
    points: 100
    metrics:
      - {metric: ces_90d, unit: ten, points: 100, table: [{from: 5, points: 100}, {below: 5, points: 0}]}
bands:
  - {band: Good, from: 60, severity: 0}
  - {band: Poor, from: 0, severity: 3}
"""


def monday_evening() -> datetime:
    return datetime.combine(COMPANY.ends_on, datetime.min.time(), UTC)


def contacts(history: History) -> tuple[int, ...]:
    return tuple(
        history.count(table)
        for table in ("cs.triggers", "cs.enrolments", "cs.actions", "cs.captured_messages", "cs.crm_tasks")
    )


@pytest.mark.requirement("S5-10")
def test_every_active_account_has_a_score_in_every_week(scored_history: History) -> None:
    assert scored_history.rows(
        "select count(distinct week), min(week), max(week) from cs.health_scores where is_active"
    ) == [(COMPANY.weeks - 1, COMPANY.first_week, SCORED_UNTIL)]
    assert scored_history.count("cs.health_scores", "is_active") == scored_history.count("marts.fct_account_weeks")


def test_history_is_one_run_and_contacts_nobody(scored_history: History) -> None:
    assert scored_history.count("public.runs") == 1
    assert contacts(scored_history) == (0, 0, 0, 0, 0)


def test_backfilling_twice_gives_identical_rows_of_all_models_also_where_they_are_gone(history: History) -> None:
    before = [history.rows(sql) for sql in RECORD]
    assert history.count("(select distinct model from cs.health_scores) as models") == 4
    for table in ("cs.health_scores", "cs.parent_scores", "cs.score_changes", "marts.fct_account_weeks"):
        history.rows(f"delete from {table} where week = '{SCORED_UNTIL}'")
    with history.runtime() as runtime:
        run = threading.Thread(target=runtime.launcher.run_weeks, args=(SCORED_UNTIL - 3 * WEEK, SCORED_UNTIL))
        with alone(history.warehouse, "dbt dbt_models", pytest.fail):
            run.start()
            waits = f"select 1 from pg_locks where locktype = 'advisory' and not granted and {OF_THIS_DATABASE}"
            wait_until("another run's dbt is waited for", timedelta(minutes=3), lambda: bool(history.rows(waits)))
        run.join()
    assert [history.rows(sql) for sql in RECORD] == before


def test_a_cohort_backfill_replaces_that_cohorts_rows_and_no_others(history: History) -> None:
    week = SCORED_UNTIL - WEEK
    (cohort, accounts), *_ = history.rows(
        f"select to_char(cohort_month, 'YYYY-MM'), array_agg(account_id order by account_id) "
        f"from marts.fct_account_weeks where week = '{week}' group by 1 order by count(*) desc"
    )
    with history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "update cs.health_scores set score = 1, band = 'Red', severity = 3 where week = %s and is_active",
            [week],
        )
    with history.runtime() as runtime:
        runtime.launcher.run_weeks(week, week, cohort=str(cohort))
    spoilt = f"select array_agg(account_id order by account_id) from cs.health_scores where week = '{week}'"
    ((untouched,),) = history.rows(f"{spoilt} and is_active and score = 1")
    assert isinstance(untouched, list)
    assert isinstance(accounts, list)
    assert set(untouched).isdisjoint(accounts)
    assert history.count("cs.health_scores", f"week = '{week}' and is_active") == history.count(
        "marts.fct_account_weeks", f"week = '{week}'"
    )


@pytest.fixture(scope="module")
def monday(history_template: Warehouse, copy_once: CopyDatabase, tmp_path_factory: pytest.TempPathFactory) -> History:
    """A history in which the week before last was never scored, until on Monday the schedule ticks."""
    history = History(copy_once(history_template), tmp_path_factory.mktemp("monday"))
    for table in ("cs.health_scores", "cs.score_changes", "cs.renewal_windows", "cs.parent_scores"):
        history.rows(f"delete from {table} where week = '{SCORED_UNTIL}'")
    with history.runtime() as runtime:
        runtime.timelapse().let_day_happen(monday_evening())
    return history


on_that_monday = pytest.mark.xdist_group("monday")


@on_that_monday
@pytest.mark.slow(seconds=30)
def test_a_missed_monday_is_made_up_for_before_the_next_one(monday: History) -> None:
    """Its scores come first, as a backfill; only the newest week may trigger."""
    scored = "(select distinct week from cs.health_scores) as weeks"
    assert monday.count(scored, f"week in ('{SCORED_UNTIL}', '{LAST_WEEK}')") == 2
    assert monday.rows(f"select distinct origin from cs.score_changes where week = '{SCORED_UNTIL}'") == [("backfill",)]
    assert monday.count("cs.score_changes", f"week = '{LAST_WEEK}' and previous_week <> '{SCORED_UNTIL}'") == 0
    assert monday.rows("select distinct week from cs.triggers where kind = 'score_change'") == [(LAST_WEEK,)]


@on_that_monday
def test_hourly_daily_and_weekly_rules_are_asked_on_that_monday_and_find_something(monday: History) -> None:
    schedules = {name: rule.alert.schedule for name, rule in load_rules(None).items()}
    asked, found = (
        {schedules[str(rule)] for (rule,) in monday.rows(f"select distinct rule from {table}")}
        for table in ("cs.alert_evaluations where health = 'ok'", "cs.alerts where state = 'firing'")
    )
    assert asked == {"hourly", "daily", "weekly"}
    assert found == asked


@on_that_monday
@pytest.mark.slow(seconds=20)
def test_the_schedules_week_starts_plays_once_however_often_it_ticks_and_whatever_dagster_forgets(
    monday: History,
) -> None:
    first = contacts(monday)
    assert all(first), f"triggers, enrolments, actions, messages, tasks: {first}"
    with monday.runtime() as runtime:
        # The same day again with sensors that have forgotten everything, on the same instance.
        again = runtime.timelapse()
        again.let_day_happen(monday_evening())
        assert again.runs == 0
        assert contacts(monday) == first
        twice = runtime.launcher.run("weekly_health", tags={ORIGIN_TAG: LIVE}, partition_key=f"{LAST_WEEK}")
        assert not twice.get_asset_materialization_events(), "a second daemon's run finds the week done"
        runtime.launcher.run_weeks(LAST_WEEK, LAST_WEEK)
        assert contacts(monday) == first
        addresses = [address for (address,) in monday.rows("select distinct recipient from cs.captured_messages")]
        told = "\n".join(str(event) for (event,) in monday.rows("select event from public.event_logs"))
        told += (monday.home / "logs" / "runs.log").read_text(errors="replace")
        found = [address for address in addresses if "@" in str(address) and str(address) in told]
        assert not found, "no address stands in Dagster's events or in a log"
        for run in runtime.launcher.instance.get_runs():
            runtime.launcher.instance.delete_run(run.run_id)  # Dagster forgets run keys with their runs
        runtime.timelapse().let_day_happen(monday_evening())
        assert contacts(monday) == first
    assert monday.count("(select action_id from cs.action_attempts group by 1 having count(*) > 1) as twice") == 0


def lose_events(history: History, of: str = "true") -> None:
    """Take away the events of the last weeks, as a source that stopped would."""
    with history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            f"delete from raw.events where occurred_at >= %s and {of}", [monday_evening() - timedelta(days=40)]
        )
        cursor.execute("delete from intermediate.int_user_activity_daily")
        cursor.execute("delete from intermediate.int_feature_usage_daily")


def test_scores_that_cannot_be_right_start_no_play(history: History) -> None:
    lose_events(history, "mod(hashtext(account_id), 4) <> 0")  # enough is left for the week not to count as lost
    with history.runtime() as runtime, pytest.raises(UserError, match="share_changing_band_is_plausible"):
        runtime.timelapse().let_day_happen(monday_evening())
    assert history.count("cs.triggers", "kind = 'score_change'") == 0
    assert history.count("cs.actions") == 0


def test_a_week_whose_events_did_not_arrive_holds_its_scores_and_starts_no_play_from_them(history: History) -> None:
    lose_events(history)
    with history.runtime() as runtime:
        runtime.timelapse().let_day_happen(monday_evening())
    held = f"week = '{LAST_WEEK}' and is_active and status = 'held'"
    assert history.count("cs.health_scores", held) > 0
    assert history.count("cs.health_scores", f"week = '{LAST_WEEK}' and is_active and status = 'scored'") == 0
    assert history.count("cs.triggers", "kind = 'score_change'") == 0


def test_a_run_that_fails_before_its_first_step_says_why(history: History) -> None:
    with (
        history.runtime() as runtime,
        pytest.raises(UserError, match=r"(?s)weekly_health failed.*late_rows is 'maybe'"),
    ):
        runtime.launcher.run_weeks(SCORED_UNTIL, SCORED_UNTIL, late_rows="maybe")


def test_a_score_of_which_too_little_is_known_starts_no_play_and_says_what_is_missing(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "score_models" / "surveys_only.yaml"
    model.parent.mkdir()
    model.write_text(SURVEYS_ONLY)
    (tmp_path / "score_selection.yaml").write_text("active: [{model: surveys_only}]")
    with history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("drop table raw.survey_responses cascade")
    monkeypatch.setenv("CS_PIPELINE_CONFIG", str(tmp_path))
    words = r"0% of the score is known.* no account: ces_90d\. "
    with history.runtime() as runtime, pytest.raises(UserError, match=words):
        runtime.timelapse().let_day_happen(monday_evening())
    assert history.count("cs.triggers", "kind = 'score_change'") == 0
