"""The job that hands on what customers said."""

import dagster as dg

from cs_pipeline.orchestration.keys import FEEDBACK_JOB, MAX_RETRIES_TAG, ROUTED_FEEDBACK, SERIAL_TAG
from cs_pipeline.orchestration.run_owner import at_most, owned_executor

feedback_job = dg.define_asset_job(
    FEEDBACK_JOB,
    selection=dg.AssetSelection.assets(ROUTED_FEEDBACK),
    description=(
        "Hands on what customers said since it ran last, by routing.yaml, and plans the messages to those who receive "
        "it. Starts no dbt. Safe to run again: nothing is handed on twice."
    ),
    tags={SERIAL_TAG: FEEDBACK_JOB, MAX_RETRIES_TAG: "2", **at_most(hours=3)},
    executor_def=owned_executor,
)
