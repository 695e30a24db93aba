"""Sensor that launches a delivery when actions of the outbox are due."""

from collections.abc import Mapping
from datetime import datetime

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.jobs.plays import deliver_due_actions
from cs_pipeline.plays.outbox.dead_letters import is_anything_to_settle
from cs_pipeline.plays.outbox.queue import due_by_channel
from cs_pipeline.warehouse.connection import Warehouse

INTERVAL_SECONDS = 30
AGAIN_MINUTES = 2


def due_request(due: Mapping[str, int], now: datetime) -> dg.RunRequest | dg.SkipReason:
    """A delivery when something is due. The same situation asks again after a while, should its run have failed."""
    if not due:
        return dg.SkipReason("nothing is due")
    situation = ",".join(f"{channel}={count}" for channel, count in sorted(due.items()))
    period = now.replace(minute=now.minute - now.minute % AGAIN_MINUTES, second=0, microsecond=0)
    return dg.RunRequest(run_key=f"due:{period:%Y-%m-%dT%H:%M}:{situation}")


@dg.sensor(
    job=deliver_due_actions,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Launches a delivery when actions in the outbox are due, a worker was lost in the middle of a call, or "
        "operations are still to be told of actions that need a person."
    ),
)
def due_actions_sensor(
    warehouse: dg.ResourceParam[Warehouse], clock: dg.ResourceParam[Clock]
) -> dg.RunRequest | dg.SkipReason:
    """Runs from the first load on: delivery is capture until someone sets it otherwise."""
    now = clock.now()
    with warehouse.session() as session:
        due = due_by_channel(session, now)
        if is_anything_to_settle(session, now):
            due["stuck"] = 1
    return due_request(due, now)
