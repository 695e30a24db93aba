"""The weekly job: everything from the staging models to the triggers, in one run, whatever the number of weeks.

What is in it: every asset made by `assets.weekly.weekly_asset`, and the dbt models.
"""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (  # what is defined here has no public name
    UnresolvedAssetJobDefinition,
)

from cs_pipeline.orchestration.executors import executor_of_slices
from cs_pipeline.orchestration.keys import CADENCE_TAG, SERIAL_TAG, WEEKLY, WEEKLY_JOB
from cs_pipeline.orchestration.run_owner import at_most
from cs_pipeline.settings import Settings


def build_weekly_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """The job; with slices its steps are spread."""
    return dg.define_asset_job(
        WEEKLY_JOB,
        selection=dg.AssetSelection.tag(CADENCE_TAG, WEEKLY[CADENCE_TAG]),
        description=(
            "Builds the marts, scores every account, explains the changes, opens renewal windows and triggers. "
            "Launched by the schedule it may start plays; launched by hand or as a backfill it contacts nobody."
        ),
        tags={SERIAL_TAG: WEEKLY_JOB, **at_most(hours=12)},
        executor_def=executor_of_slices(settings),
    )
