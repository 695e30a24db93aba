"""The code location. `build_defs` puts together what the rooms offer; `defs` is what Dagster loads."""

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.backtest import backtest_of_models
from cs_pipeline.orchestration.contracts import contracts_are_beyond_doubt
from cs_pipeline.orchestration.crm_status import CRM_ASSETS, read_crm_status
from cs_pipeline.orchestration.dbt import build_dbt_assets, build_source_specs
from cs_pipeline.orchestration.decisions import JOBS_FOR_PEOPLE
from cs_pipeline.orchestration.jobs import build_jobs_by_hand, build_weekly_job
from cs_pipeline.orchestration.late_data import inputs_unchanged_since_scored
from cs_pipeline.orchestration.partitions import weekly_partitions
from cs_pipeline.orchestration.play_assets import PLAY_ASSETS
from cs_pipeline.orchestration.plays import daily_plays, deliver_due_actions, run_playbooks
from cs_pipeline.orchestration.renewals import build_renewal_assets
from cs_pipeline.orchestration.rescoring import rescore_weeks
from cs_pipeline.orchestration.resources import build_resources
from cs_pipeline.orchestration.run_owner import owned_executor
from cs_pipeline.orchestration.schedules import build_schedules
from cs_pipeline.orchestration.scores import build_score_assets
from cs_pipeline.orchestration.sensors import build_sensors
from cs_pipeline.orchestration.simulation import simulate_plays
from cs_pipeline.orchestration.suppressions import SUPPRESSION_ASSETS
from cs_pipeline.orchestration.triggers import build_trigger_assets
from cs_pipeline.orchestration.work import LOOKED_AT, start_play
from cs_pipeline.settings import Settings, load_settings


def build_defs(settings: Settings, clock: Clock | None = None) -> dg.Definitions:
    """All assets, jobs, sensors and schedules for `settings`. Demo and tests bring a clock of their own."""
    clock = clock or Clock(settings.now)
    weeks = weekly_partitions(settings.first_week, settings.now)
    weekly_job = build_weekly_job(weeks)
    return dg.Definitions(
        assets=[
            *build_source_specs(),
            *build_dbt_assets(weeks),
            *build_score_assets(weeks),
            *build_renewal_assets(weeks),
            *build_trigger_assets(weeks),
            backtest_of_models,
            *PLAY_ASSETS,
            *CRM_ASSETS,
            *SUPPRESSION_ASSETS,
            *LOOKED_AT,
        ],
        asset_checks=[inputs_unchanged_since_scored, contracts_are_beyond_doubt],
        jobs=[
            weekly_job,
            *build_jobs_by_hand(),
            rescore_weeks,
            run_playbooks,
            deliver_due_actions,
            daily_plays,
            read_crm_status,
            simulate_plays,
            start_play,
            *JOBS_FOR_PEOPLE,
        ],
        schedules=build_schedules(weekly_job, settings),
        sensors=build_sensors(),
        resources=build_resources(settings, clock),
        executor=owned_executor,
    )


defs = build_defs(load_settings())
