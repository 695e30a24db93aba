"""The jobs over assets: the weekly one (dbt, scores, changes and renewal windows), and those that look back."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from cs_pipeline.orchestration.run_owner import at_most, owned_executor

WEEKLY_JOB = "weekly_health"
BACKTEST_JOB = "backtest"
EFFECTS_JOB = "effects_of_plays"
BACKTEST = dg.AssetKey(["cs", "backtest"])
PLAY_EFFECTS = dg.AssetKey(["cs", "play_effects"])
PROGRESS = dg.AssetKey(["cs", "play_progress"])
WORK_QUEUE = dg.AssetKey(["cs", "work_queue"])
LOOKED_AT_BY_HAND = (BACKTEST, PLAY_EFFECTS, PROGRESS, WORK_QUEUE)
ORIGIN_TAG = "cs_pipeline/origin"
LIVE = "live"
SERIAL_TAG = "cs_pipeline/serial"


def build_weekly_job(weeks: dg.WeeklyPartitionsDefinition) -> UnresolvedAssetJobDefinition:
    """Everything from the staging models to the renewal windows, in one run, whatever the number of weeks."""
    return dg.define_asset_job(
        WEEKLY_JOB,
        selection=dg.AssetSelection.all() - dg.AssetSelection.assets(*LOOKED_AT_BY_HAND),
        partitions_def=weeks,
        description=(
            "Builds the marts, scores every account, explains the changes and opens renewal windows. "
            "Launched by the schedule it may start plays; launched by hand or as a backfill it contacts nobody."
        ),
        tags={SERIAL_TAG: WEEKLY_JOB, **at_most(hours=12)},
        executor_def=owned_executor,
    )


def build_jobs_by_hand() -> list[UnresolvedAssetJobDefinition]:
    """The backtest, and whether plays help."""
    return [
        dg.define_asset_job(
            BACKTEST_JOB,
            selection=dg.AssetSelection.assets(BACKTEST),
            description="Holds all score models against what happened, over all weeks of the marts. Changes nothing.",
            tags=at_most(hours=12),
            executor_def=owned_executor,
        ),
        dg.define_asset_job(
            EFFECTS_JOB,
            selection=dg.AssetSelection.assets(PLAY_EFFECTS),
            description="Holds accounts that plays enrolled against those they held out. Changes nothing.",
            tags=at_most(hours=12),
            executor_def=owned_executor,
        ),
    ]
