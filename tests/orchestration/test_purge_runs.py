"""Runs that ended long ago are deleted from Dagster's log; what the UI shows of assets today stays."""

import itertools
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration import report_schedules
from cs_pipeline.orchestration.purge_runs import purge_runs
from cs_pipeline.orchestration.schedules import build_schedules, weekly_requests
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.conftest import ROOT

NOW = datetime.now(UTC)
KEPT = timedelta(days=90)
LONG_AGO = NOW - KEPT - timedelta(days=1)
WEEKS = dg.StaticPartitionsDefinition(["2026-01-05", "2026-01-12"])
UNDER_WAY = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)

HOURLY = ("evaluate_alerts_schedule", "read_crm_status_schedule")


@dg.asset(partitions_def=WEEKS, check_specs=[dg.AssetCheckSpec("is_sound", asset="scores")])
def scores() -> Iterator[Any]:
    """Stands for what is made week by week."""
    yield dg.MaterializeResult(tags={"made/by": "test"}, check_results=[dg.AssetCheckResult(passed=True)])


@dg.job
def deliver() -> None:
    """Stands for what runs all day."""


@pytest.fixture
def instance(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster's log in the warehouse."""
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", warehouse.url)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        yield instance


def rows(warehouse: Warehouse, sql: str) -> set[Any]:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(sql)
        return {row[0] for row in cursor.fetchall()} if cursor.description else set()


def score(instance: dg.DagsterInstance, week: str) -> str:
    return dg.materialize([scores], instance=instance, partition_key=week).run_id


@pytest.mark.slow(seconds=6)
def test_runs_that_ended_long_ago_go_in_pieces_and_what_the_ui_shows_today_stays(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    replaced = score(instance, "2026-01-05")
    newest = {score(instance, "2026-01-05"), score(instance, "2026-01-12")}
    at_work = {instance.create_run_for_job(deliver, status=status).run_id for status in UNDER_WAY}
    old = {instance.create_run_for_job(deliver, status=dg.DagsterRunStatus.SUCCESS).run_id for _ in range(5)}
    rows(warehouse, f"update runs set update_timestamp = '{LONG_AGO:%Y-%m-%d}'")
    rows(warehouse, f"update runs set end_time = {LONG_AGO.timestamp()} where end_time is not null")
    yesterday = instance.create_run_for_job(deliver, status=dg.DagsterRunStatus.FAILURE).run_id

    purged = purge_runs(warehouse, NOW - KEPT, at_once=2)

    left = newest | at_work | {yesterday}
    assert rows(warehouse, "select run_id from runs") == left
    assert purged.runs == len(old | {replaced})
    assert purged.events > 5, "of the week that was made anew"
    of_runs = "table_schema = 'public' and column_name = 'run_id' and table_name not in ('pending_steps', 'runs')"
    naming = rows(warehouse, f"select table_name from information_schema.columns where {of_runs}")
    assert naming == {"run_tags", "event_logs", "asset_check_executions", "concurrency_slots"}, (
        "Dagster names runs elsewhere too: purge_runs should look there"
    )
    for table in naming:
        assert rows(warehouse, f"select run_id from {table}") <= left, table
    assert rows(warehouse, "select event_id from asset_event_tags") <= rows(warehouse, "select id from event_logs")
    assert instance.get_materialized_partitions(dg.AssetKey("scores")) == set(WEEKS.get_partition_keys())
    assert instance.get_latest_materialization_event(dg.AssetKey("scores"))
    assert purge_runs(warehouse, NOW - KEPT).runs == 0


def test_a_database_without_dagsters_tables_has_nothing_to_delete(warehouse: Warehouse) -> None:
    assert purge_runs(warehouse, NOW).runs == 0


def test_no_schedule_asks_again_for_a_run_whose_key_may_be_forgotten(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that was asked for is asked for again, if at all, while its run is still kept."""
    monkeypatch.setattr(report_schedules, "_missing", lambda *_: None)
    settings = Settings(crm="hubspot", delivery="live")
    shortest = Settings.model_fields["runs_kept_days"].metadata[0].ge
    start = datetime(2024, 1, 1, tzinfo=UTC)
    asked: dict[str, list[datetime]] = {}
    resources = {"clock": Clock(None), "warehouse": Warehouse("postgresql://nobody@127.0.0.1:1/nowhere")}
    for schedule in (*build_schedules(settings), *report_schedules.build_report_schedules()):
        for moment in ticks(schedule, start, days=3 if schedule.name in HOURLY else 100):
            if schedule.name == "weekly_health_schedule":
                requests = weekly_requests(moment, settings.first_week)
            else:
                context = dg.build_schedule_context(instance, scheduled_execution_time=moment, resources=resources)
                requests = [schedule(context)]
            for request in requests:
                assert isinstance(request, dg.RunRequest)
                assert request.run_key, schedule.name
                asked.setdefault(request.run_key, []).append(moment)
    assert len(asked) > 300
    for key, moments in asked.items():
        assert max(moments) - min(moments) < timedelta(days=shortest), key


def ticks(schedule: dg.ScheduleDefinition, start: datetime, days: int) -> list[datetime]:
    """The moments of its cron lines."""
    moments = schedule_execution_time_iterator(start.timestamp(), schedule.cron_schedule, schedule.execution_timezone)
    return list(itertools.takewhile(lambda moment: moment < start + timedelta(days=days), moments))
