"""The weekly job: dbt, scores, changes and renewal windows of one week, or of a range of weeks as a backfill."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

WEEKLY_JOB = "weekly_health"
ORIGIN_TAG = "cs_pipeline/origin"
LIVE = "live"
SERIAL_TAG = "cs_pipeline/serial"


def build_weekly_job(weeks: dg.WeeklyPartitionsDefinition) -> UnresolvedAssetJobDefinition:
    """Everything from the staging models to the renewal windows, in one run, whatever the number of weeks."""
    return dg.define_asset_job(
        WEEKLY_JOB,
        selection=dg.AssetSelection.all(),
        partitions_def=weeks,
        description=(
            "Builds the marts, scores every account, explains the changes and opens renewal windows. "
            "Launched by the schedule it may start plays; launched by hand or as a backfill it contacts nobody."
        ),
        tags={SERIAL_TAG: WEEKLY_JOB},
        executor_def=dg.in_process_executor,
    )
