"""Jobs that evaluate the alert rules which are due, and that say what rules were worth.

The weekly rules are evaluated by the weekly job.
"""

import dagster as dg

from cs_pipeline.orchestration.keys import (
    ALERT_SCORECARDS,
    ALERTS,
    EVALUATE_ALERTS_JOB,
    MAX_RETRIES_TAG,
    SCORECARDS_JOB,
    SERIAL_TAG,
)
from cs_pipeline.orchestration.run_owner import at_most, owned_executor

evaluate_alerts = dg.define_asset_job(
    EVALUATE_ALERTS_JOB,
    selection=dg.AssetSelection.assets(ALERTS),
    description=(
        "Asks the hourly, daily and cron rules that are due, changes the state of alerts, and plans what people are "
        "told: at once, as reminders and escalations, in their digests. Starts no dbt. Safe to run again: a rule is "
        "asked once about a moment."
    ),
    tags={SERIAL_TAG: EVALUATE_ALERTS_JOB, MAX_RETRIES_TAG: "2", **at_most(hours=3)},
    executor_def=owned_executor,
)

scorecards_job = dg.define_asset_job(
    SCORECARDS_JOB,
    selection=dg.AssetSelection.assets(ALERT_SCORECARDS),
    description=(
        "Holds every alert rule against what became of the accounts, and keeps what it was worth. Launched monthly; it "
        "tells nobody."
    ),
    tags=at_most(hours=12),
    executor_def=owned_executor,
)
