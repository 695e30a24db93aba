"""Sensor that tells operations of failed runs, through the outbox: when a job begins to fail, then once a day."""

import dagster as dg

from cs_pipeline.channels.message import clean
from cs_pipeline.channels.routing import channels_for
from cs_pipeline.clock import Clock
from cs_pipeline.plays.delivery.dispatcher import deliver_notices
from cs_pipeline.plays.outbox import operations
from cs_pipeline.plays.outbox.operations import Notice
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


def failure_notice(run: dg.DagsterRun, words: str, settings: Settings) -> Notice:
    """What operations read. The run's id is the key, so it is told once."""
    text = f"The run of {run.job_name} failed: {clean(words)}\n{settings.ui_url}/runs/{run.run_id}"
    return Notice(f"failed_run:{run.run_id}", f"The run of {run.job_name} failed", text)


def was_failing(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the run of the same job that ended before this one, on the same day in UTC, failed too."""
    record = instance.get_run_record_by_id(run.run_id)
    if record is None:
        return False
    midnight = record.create_timestamp.replace(hour=0, minute=0, second=0, microsecond=0)
    ended = dg.RunsFilter(
        job_name=run.job_name,
        statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE],
        created_after=midnight,
        created_before=record.create_timestamp,
    )
    before = instance.get_runs(ended, limit=1)
    return bool(before) and before[0].status == dg.DagsterRunStatus.FAILURE


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Tells operations of a failed run, with its error and a link: when a job begins to fail, and once a day "
        "while it goes on. What cannot be told at once stays in the outbox."
    ),
)
def failed_run_sensor(
    context: dg.RunFailureSensorContext,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.SkipReason | None:
    """Watches every job of this code location."""
    if was_failing(context.instance, context.dagster_run):
        return dg.SkipReason(f"{context.dagster_run.job_name} has failed before today, and operations know")
    words = (context.failure_event.message or "no reason given").strip()
    with warehouse.session() as session:
        operations.notify(session, failure_notice(context.dagster_run, words, settings), settings, clock.now())
    # The delivery itself may be what failed.
    deliver_notices(warehouse, channels_for(settings, warehouse, clock), settings, clock)
    return None
