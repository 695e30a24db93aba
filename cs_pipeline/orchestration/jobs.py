"""The jobs over assets: the weekly one (dbt, scores, changes and renewal windows), and the backtest."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

WEEKLY_JOB = "weekly_health"
BACKTEST_JOB = "backtest"
BACKTEST = dg.AssetKey(["cs", "backtest"])
ORIGIN_TAG = "cs_pipeline/origin"
LIVE = "live"
SERIAL_TAG = "cs_pipeline/serial"


def build_weekly_job(weeks: dg.WeeklyPartitionsDefinition) -> UnresolvedAssetJobDefinition:
    """Everything from the staging models to the renewal windows, in one run, whatever the number of weeks."""
    return dg.define_asset_job(
        WEEKLY_JOB,
        selection=dg.AssetSelection.all() - dg.AssetSelection.assets(BACKTEST),
        partitions_def=weeks,
        description=(
            "Builds the marts, scores every account, explains the changes and opens renewal windows. "
            "Launched by the schedule it may start plays; launched by hand or as a backfill it contacts nobody."
        ),
        tags={SERIAL_TAG: WEEKLY_JOB},
        executor_def=dg.in_process_executor,
    )


def build_backtest_job() -> UnresolvedAssetJobDefinition:
    """Score models against what happened; launched by hand."""
    return dg.define_asset_job(
        BACKTEST_JOB,
        selection=dg.AssetSelection.assets(BACKTEST),
        description="Holds all score models against what happened, over all weeks of the marts. Changes nothing.",
        executor_def=dg.in_process_executor,
    )
