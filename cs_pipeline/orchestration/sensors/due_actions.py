"""Sensor that launches a delivery when actions of the outbox are due."""

from collections.abc import Mapping
from datetime import datetime

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.history.slices import slices_of
from cs_pipeline.orchestration.jobs.plays import deliver_due_actions
from cs_pipeline.orchestration.keys import DELIVERY_JOB, SERIAL_TAG, SLICE_TAG
from cs_pipeline.plays.outbox.dead_letters import is_anything_to_settle
from cs_pipeline.plays.outbox.queue import due_by_channel
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

INTERVAL_SECONDS = 30
AGAIN_MINUTES = 2


def due_requests(due: Mapping[str, int], now: datetime, slices: int) -> list[dg.RunRequest] | dg.SkipReason:
    """Deliveries when something is due. The same situation asks again after a while, should its run have failed.

    With slices, one for each: those of one slice wait for each other, as all do without.
    """
    if not due:
        return dg.SkipReason("nothing is due")
    situation = ",".join(f"{channel}={count}" for channel, count in sorted(due.items()))
    period = now.replace(minute=now.minute - now.minute % AGAIN_MINUTES, second=0, microsecond=0)
    key = f"due:{period:%Y-%m-%dT%H:%M}:{situation}"
    if slices == 1:
        return [dg.RunRequest(run_key=key)]
    return [
        dg.RunRequest(
            run_key=f"{key}:{part.name}",
            tags={SLICE_TAG: part.name, SERIAL_TAG: f"{DELIVERY_JOB} {part.name}"},
        )
        for part in slices_of(slices)
    ]


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
    warehouse: dg.ResourceParam[Warehouse], settings: dg.ResourceParam[Settings], clock: dg.ResourceParam[Clock]
) -> list[dg.RunRequest] | dg.SkipReason:
    """Runs from the first load on: delivery is capture until someone sets it otherwise."""
    now = clock.now()
    with warehouse.session() as session:
        due = due_by_channel(session, now)
        if is_anything_to_settle(session, now):
            due["stuck"] = 1
    return due_requests(due, now, settings.delivery_slices)
