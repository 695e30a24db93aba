"""Warn of scored weeks whose inputs changed since; whether to score them again is for people to say."""

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.history.late_data import CHECKED, late_data
from cs_pipeline.orchestration.keys import HEALTH_SCORES
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.orchestration.partitions import last_ended_week
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


@dg.asset_check(
    asset=HEALTH_SCORES,
    description=(
        f"No rows arrived for the last {CHECKED.days // 7} scored weeks that would count if they were scored "
        "again. A warning names weeks and tables. See docs/backfill.md."
    ),
)
def inputs_unchanged_since_scored(
    warehouse: dg.ResourceParam[Warehouse], settings: dg.ResourceParam[Settings], clock: dg.ResourceParam[Clock]
) -> dg.AssetCheckResult:
    """It may be run by itself, and is part of every weekly run."""
    last = last_ended_week(clock.now())
    found = late_data(warehouse, last - CHECKED, last, settings.late_rows)
    return dg.AssetCheckResult(
        passed=not found.weeks_to_score_again,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "weeks_to_score_again": [str(week) for week in found.weeks_to_score_again],
            "arrived": table(found.arrived),
            "changed_and_may_matter": table(found.changed),
        },
    )
