"""Sensor that offers new triggers to playbooks."""

import hashlib
from collections.abc import Sequence

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.jobs.plays import run_playbooks
from cs_pipeline.orchestration.keys import REASON_TAG
from cs_pipeline.plays.facts.catalogue import TriggerKind
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.triggers.dispatch import offer
from cs_pipeline.plays.triggers.dispatch_cursor import TriggerBatch
from cs_pipeline.plays.triggers.kinds import KINDS
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

INTERVAL_SECONDS = 15
TRIGGERS_IN_A_RUN = 5_000


def playbook_requests(batches: Sequence[TriggerBatch], reason: str) -> list[dg.RunRequest]:
    """Runs for the batches of a tick, as few as their size allows: a run costs seconds, a batch hardly any.

    `reason` says what is unusual about them, if anything is.
    """
    runs: list[list[TriggerBatch]] = []
    for batch in batches:
        if runs and sum(len(other.trigger_ids) for other in (*runs[-1], batch)) <= TRIGGERS_IN_A_RUN:
            runs[-1].append(batch)
        else:
            runs.append([batch])
    return [_playbook_request(together, reason) for together in runs]


def _playbook_request(batches: Sequence[TriggerBatch], reason: str) -> dg.RunRequest:
    config = [{"playbook": batch.playbook, "trigger_ids": list(batch.trigger_ids)} for batch in batches]
    cause = "+".join(batch.run_key for batch in batches)
    return dg.RunRequest(
        run_key=cause if len(batches) == 1 else hashlib.sha256(cause.encode()).hexdigest()[:24],
        run_config={"ops": {"enrol_accounts": {"config": {"batches": config}}}},
        tags={
            "cs_pipeline/playbooks": ",".join(sorted({batch.playbook for batch in batches})),
            "cs_pipeline/triggers": str(sum(len(batch.trigger_ids) for batch in batches)),
            **({REASON_TAG: reason} if reason else {}),
        },
    )


@dg.sensor(
    job=run_playbooks,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Offers new triggers of every kind to the playbooks: one run for all that have something to decide, in the "
        "order of their priority."
    ),
)
def playbooks_sensor(
    context: dg.SensorEvaluationContext,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.SensorResult:
    """Runs from the first load on: delivery is capture until someone sets it otherwise.

    One for all kinds: a week brings triggers of several, and the play that goes first is to be decided on first.
    """
    playbooks = load_playbooks(settings.config)
    kinds: list[TriggerKind] = [kind.name for kind in KINDS if kind.is_dispatched]
    with warehouse.session() as session:
        found = offer(session, playbooks, kinds, context.cursor, clock.now())
    requests = playbook_requests(found.batches, found.reason)
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else found.reason, cursor=found.cursor)
