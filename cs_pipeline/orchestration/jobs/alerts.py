"""Job that evaluates the alert rules which are due; the weekly rules are evaluated by the weekly job."""

import dagster as dg

from cs_pipeline.orchestration.keys import ALERTS, EVALUATE_ALERTS_JOB, MAX_RETRIES_TAG, SERIAL_TAG
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
