"""Put the code location together from what the modules of this package offer."""

import os

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.asset_checks.contracts import contracts_are_beyond_doubt
from cs_pipeline.orchestration.asset_checks.late_data import inputs_unchanged_since_scored
from cs_pipeline.orchestration.asset_checks.rule_health import build_rule_health
from cs_pipeline.orchestration.asset_checks.score_drift import score_has_not_drifted
from cs_pipeline.orchestration.asset_checks.score_knowledge import score_knows_who_leaves
from cs_pipeline.orchestration.assets.alert_scorecards import alert_scorecards
from cs_pipeline.orchestration.assets.alerts import build_alerts
from cs_pipeline.orchestration.assets.backtest import backtest_of_models
from cs_pipeline.orchestration.assets.dbt import build_dbt_assets, build_source_specs
from cs_pipeline.orchestration.assets.feedback import routed_feedback
from cs_pipeline.orchestration.assets.health import build_health_scores, build_score_changes
from cs_pipeline.orchestration.assets.plays import PLAY_ASSETS
from cs_pipeline.orchestration.assets.renewal_forecasts import build_renewal_forecasts
from cs_pipeline.orchestration.assets.renewals import build_renewal_windows
from cs_pipeline.orchestration.assets.reports import build_reports
from cs_pipeline.orchestration.assets.reviews import progress_of_plays, queue_of_work
from cs_pipeline.orchestration.assets.score_calibrations import build_score_calibrations
from cs_pipeline.orchestration.assets.sliced_health import build_sliced_health_scores, build_sliced_score_changes
from cs_pipeline.orchestration.assets.triggers import build_triggers
from cs_pipeline.orchestration.assets.uplift import effects_of_plays
from cs_pipeline.orchestration.executors import executor_of_slices
from cs_pipeline.orchestration.ingest_definitions import build_ingest
from cs_pipeline.orchestration.jobs.alert_decisions import decide_on_alerts, decide_on_held_alerts, silence_alerts
from cs_pipeline.orchestration.jobs.alert_replay import replay_alerts
from cs_pipeline.orchestration.jobs.alerts import evaluate_alerts, scorecards_job
from cs_pipeline.orchestration.jobs.crm_status import read_crm_status
from cs_pipeline.orchestration.jobs.feedback import feedback_job
from cs_pipeline.orchestration.jobs.kpis import kpis_job
from cs_pipeline.orchestration.jobs.maintenance import purge_runs_job
from cs_pipeline.orchestration.jobs.operations import decide_on_actions, preview_play, stop_or_resume, why_action
from cs_pipeline.orchestration.jobs.plays import daily_plays, deliver_due_actions, run_playbooks
from cs_pipeline.orchestration.jobs.reports import REPORT_JOBS
from cs_pipeline.orchestration.jobs.rescoring import rescore_weeks
from cs_pipeline.orchestration.jobs.reviews import backtest_job, effects_job
from cs_pipeline.orchestration.jobs.simulation import simulate_plays
from cs_pipeline.orchestration.jobs.start_play import start_play
from cs_pipeline.orchestration.jobs.weekly import build_weekly_job
from cs_pipeline.orchestration.keys import ALERTS_GROUP
from cs_pipeline.orchestration.partitions import weekly_partitions
from cs_pipeline.orchestration.report_schedules import build_report_schedules
from cs_pipeline.orchestration.resources import build_resources
from cs_pipeline.orchestration.schedules import build_schedules
from cs_pipeline.orchestration.sensors.due_actions import due_actions_sensor
from cs_pipeline.orchestration.sensors.failed_runs import failed_run_sensor
from cs_pipeline.orchestration.sensors.playbooks import playbooks_sensor
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.dbt_folder import dbt_folder

EVENTS_AT_A_TIME = 1_000
WEEKLY_ASSETS = (
    build_score_calibrations,
    build_renewal_windows,
    build_renewal_forecasts,
    build_triggers,
)
REVIEW_ASSETS = (backtest_of_models, effects_of_plays, progress_of_plays, queue_of_work)
"""What people launch when they want to look; no part of the weekly job."""
PLAY_JOBS = (run_playbooks, deliver_due_actions, daily_plays, start_play, read_crm_status)
JOBS_BY_HAND = (
    rescore_weeks,
    backtest_job,
    effects_job,
    simulate_plays,
    preview_play,
    decide_on_actions,
    why_action,
    stop_or_resume,
    decide_on_alerts,
    silence_alerts,
    decide_on_held_alerts,
    replay_alerts,
)


def build_defs(settings: Settings, clock: Clock | None = None) -> dg.Definitions:
    """All assets, checks, jobs, sensors and schedules for `settings`. Demo and tests bring a clock of their own.

    Parses the dbt project when it has changed since it was parsed last. Needs no database.
    """
    _write_events_in_batches()
    weeks = weekly_partitions(settings.first_week, settings.now)
    folder = dbt_folder(settings)
    models = build_dbt_assets(weeks, folder)
    ingest = build_ingest(settings, build_source_specs(folder))
    rules = sorted(key for each in models for key in each.keys if key.path[0] == ALERTS_GROUP)
    return dg.Definitions(
        assets=[
            *ingest.sources,
            *ingest.assets,
            *models,
            *_scores_and_changes(weeks, settings),
            *(build(weeks) for build in WEEKLY_ASSETS),
            build_alerts(rules),
            alert_scorecards,
            routed_feedback,
            *PLAY_ASSETS,
            *REVIEW_ASSETS,
            *build_reports(),
        ],
        asset_checks=[
            inputs_unchanged_since_scored,
            contracts_are_beyond_doubt,
            score_knows_who_leaves,
            score_has_not_drifted,
            build_rule_health(rules),
        ],
        jobs=[
            build_weekly_job(settings),
            kpis_job,
            feedback_job,
            evaluate_alerts,
            scorecards_job,
            purge_runs_job,
            *REPORT_JOBS.values(),
            *PLAY_JOBS,
            *JOBS_BY_HAND,
            *ingest.jobs,
        ],
        schedules=[*build_schedules(settings), *build_report_schedules(), *ingest.schedules],
        sensors=[playbooks_sensor, due_actions_sensor, failed_run_sensor],
        resources=build_resources(settings, clock or Clock(settings.now)),
        executor=executor_of_slices(settings),
    )


def _scores_and_changes(weeks: dg.WeeklyPartitionsDefinition, settings: Settings) -> list[dg.AssetsDefinition]:
    if settings.score_slices == 1:  # one step each: a graph of steps costs start-up time
        return [build_health_scores(weeks), build_score_changes(weeks)]
    count = settings.score_slices
    return [build_sliced_health_scores(weeks, count), build_sliced_score_changes(weeks, count)]


def _write_events_in_batches() -> None:
    """Let Dagster write what a step says of many weeks together, as far as the environment does not say otherwise.

    One after the other takes a tenth of a long backfill, and a fifth of a small company's.
    """
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(EVENTS_AT_A_TIME))
