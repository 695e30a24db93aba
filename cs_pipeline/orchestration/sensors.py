"""Sensors: each reads our own tables, lets a pure function decide, and launches runs. None of them writes.

Dagster's asset sensors see only the newest materialization per tick, and its event ids can commit out of order, so
neither is trusted. A run key is a first filter only; that nobody is enrolled twice is the database's business.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.failures import build_failed_run_sensor
from cs_pipeline.orchestration.plays import deliver_due_actions, run_playbooks
from cs_pipeline.plays.outbox.dead_letters import is_anything_stuck
from cs_pipeline.plays.outbox.queue import due_by_channel
from cs_pipeline.plays.playbooks.schema import load_playbooks
from cs_pipeline.plays.triggers.dispatch import offer
from cs_pipeline.plays.triggers.dispatch_cursor import Batch
from cs_pipeline.plays.triggers.kinds import KINDS, Kind
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

TRIGGER_SECONDS = 15
DUE_SECONDS = 30
DUE_AGAIN_MINUTES = 2
TRIGGERS_IN_A_RUN = 5_000


def playbook_requests(batches: Sequence[Batch], reason: str) -> list[dg.RunRequest]:
    """Runs for the batches of a tick, as few as their size allows: a run costs seconds, a batch hardly any.

    `reason` says what is unusual about them, if anything is.
    """
    runs: list[list[Batch]] = []
    for batch in batches:
        if runs and sum(len(other.trigger_ids) for other in (*runs[-1], batch)) <= TRIGGERS_IN_A_RUN:
            runs[-1].append(batch)
        else:
            runs.append([batch])
    return [_playbook_request(together, reason) for together in runs]


def _playbook_request(batches: Sequence[Batch], reason: str) -> dg.RunRequest:
    config = [{"playbook": batch.playbook, "trigger_ids": list(batch.trigger_ids)} for batch in batches]
    cause = "+".join(batch.run_key for batch in batches)
    return dg.RunRequest(
        run_key=cause if len(batches) == 1 else hashlib.sha256(cause.encode()).hexdigest()[:24],
        run_config={"ops": {"enrol_accounts": {"config": {"batches": config}}}},
        tags={
            "cs_pipeline/playbooks": ",".join(sorted({batch.playbook for batch in batches})),
            "cs_pipeline/triggers": str(sum(len(batch.trigger_ids) for batch in batches)),
            **({"cs_pipeline/reason": reason} if reason else {}),
        },
    )


def due_request(due: Mapping[str, int], now: datetime) -> dg.RunRequest | dg.SkipReason:
    """A delivery when something is due. The same situation asks again after a while, should its run have failed."""
    if not due:
        return dg.SkipReason("nothing is due")
    situation = ",".join(f"{channel}={count}" for channel, count in sorted(due.items()))
    period = now.replace(minute=now.minute - now.minute % DUE_AGAIN_MINUTES, second=0, microsecond=0)
    return dg.RunRequest(run_key=f"due:{period:%Y-%m-%dT%H:%M}:{situation}")


def build_sensors() -> list[dg.SensorDefinition]:
    """All sensors. They run from the first load on: delivery is capture until someone sets it otherwise."""
    return [
        *(_trigger_sensor(kind) for kind in KINDS if kind.is_dispatched),
        _due_sensor(),
        build_failed_run_sensor(),
    ]


def _trigger_sensor(kind: Kind) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{kind.name}_sensor",
        job=run_playbooks,
        minimum_interval_seconds=TRIGGER_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"{kind.words} One run for all playbooks that have something to decide.",
    )
    def sensor(
        context: dg.SensorEvaluationContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult:
        playbooks = load_playbooks(settings.config)
        with warehouse.session() as session:
            found = offer(session, playbooks, {kind.name}, context.cursor, clock.now())
        requests = playbook_requests(found.batches, found.reason)
        return dg.SensorResult(
            run_requests=requests, skip_reason=None if requests else found.reason, cursor=found.cursor
        )

    return sensor


def _due_sensor() -> dg.SensorDefinition:
    @dg.sensor(
        name="due_actions_sensor",
        job=deliver_due_actions,
        minimum_interval_seconds=DUE_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Launches a delivery when actions in the outbox are due, a worker was lost in the middle of a call, or "
            "operations are still to be told of actions that need a person."
        ),
    )
    def sensor(warehouse: dg.ResourceParam[Warehouse], clock: dg.ResourceParam[Clock]) -> dg.RunRequest | dg.SkipReason:
        now = clock.now()
        with warehouse.session() as session:
            due = due_by_channel(session, now)
            if is_anything_stuck(session, now):
                due["stuck"] = 1
        return due_request(due, now)

    return sensor
