"""The job that keeps Dagster's log from growing for ever."""

from datetime import timedelta

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.keys import MAX_RETRIES_TAG, PURGE_JOB, SERIAL_TAG
from cs_pipeline.orchestration.purge_runs import purge_runs
from cs_pipeline.orchestration.run_owner import at_most, owned_executor
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


@dg.op(out=dg.Out(dg.Nothing), description="Delete runs that have ended long ago, a thousand at a time.")
def delete_old_runs(
    context: dg.OpExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> None:
    """Nothing of ours reads them; ticks are deleted by Dagster (`retention` in dagster.yaml)."""
    purged = purge_runs(warehouse, clock.now() - timedelta(days=settings.runs_kept_days))
    context.log.info(purged.words)
    context.add_output_metadata({"runs": purged.runs, "events": purged.events})


@dg.job(
    name=PURGE_JOB,
    executor_def=owned_executor,
    tags={SERIAL_TAG: PURGE_JOB, MAX_RETRIES_TAG: "2", **at_most(hours=3)},
    description=(
        "Deletes runs that ended more than CS_PIPELINE_RUNS_KEPT_DAYS ago, with their events. The newest "
        "materialization of every asset and partition, and the newest evaluation of every check, stay."
    ),
)
def purge_runs_job() -> None:
    """One op."""
    delete_old_runs()
