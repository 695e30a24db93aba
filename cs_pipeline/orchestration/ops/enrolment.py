"""Ops that decide who enters a play, on batches of triggers and on accounts that are new, and whose play is over."""

from datetime import datetime

import dagster as dg
from pydantic import Field

from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.keys import ENROLMENTS
from cs_pipeline.plays.enrolment import exits
from cs_pipeline.plays.enrolment.circuit_breaker import Trip
from cs_pipeline.plays.enrolment.enrol import EnrolmentSummary, enrol
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.outbox import operations
from cs_pipeline.plays.outbox.operations import Notice
from cs_pipeline.plays.playbooks.reading import load_playbooks, playbook_named
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.triggers.kinds import open_day
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


class BatchConfig(dg.Config):
    """Triggers that one playbook decides on."""

    playbook: str = Field(description="Name of the playbook.")
    trigger_ids: list[int] = Field(description="Ids of cs.triggers to decide on; those decided already are left alone.")


class PlaybooksConfig(dg.Config):
    """Which playbooks decide on which triggers, in this order: the first to ask gets the account of a family."""

    batches: list[BatchConfig] = Field(description="One entry a playbook.")


@dg.op(out=dg.Out(dg.Nothing), description="Enrol the accounts of batches of triggers, or refuse them with a reason.")
def enrol_accounts(
    context: dg.OpExecutionContext,
    config: PlaybooksConfig,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> None:
    """Every trigger ends as one row of cs.enrolments; asking twice changes nothing.

    A playbook that cannot be run fails the step after the others have decided.
    """
    playbooks = load_playbooks(settings.config)
    renderer = Renderer(settings)
    problems: list[str] = []
    for batch in config.batches:
        try:
            renderer.check(playbook_named(batch.playbook, playbooks))
        except UserError as error:
            problems.append(str(error))
            continue
        summary = enrol(warehouse, playbooks[batch.playbook], batch.trigger_ids, settings, clock.now())
        if summary.trip:
            context.log.error(summary.trip.words)
            if summary.trip.is_new:
                _ask_a_person(summary.trip, settings, warehouse, clock.now())
        context.log.info("%s: %s enrolled, refused: %s", batch.playbook, summary.enrolled, dict(summary.refused))
        context.log_event(_enrolled(playbooks[batch.playbook], summary))
    if problems:
        raise UserError("\n".join(problems))


def _enrolled(playbook: Playbook, summary: EnrolmentSummary) -> dg.AssetMaterialization:
    """What came of the batch, and of no other: to count all that were ever enrolled would cost more than to enrol."""
    return dg.AssetMaterialization(
        ENROLMENTS,
        description=f"{playbook.title}: {summary.enrolled} enrolled",
        metadata={
            "playbook": playbook.playbook,
            "enrolled": summary.enrolled,
            "refused": dict(summary.refused),
            "waits_for_a_person": summary.trip.words if summary.trip else "",
            "actions": dict(summary.actions),
        },
    )


def _ask_a_person(trip: Trip, settings: Settings, warehouse: Warehouse, now: datetime) -> None:
    """The deliveries of the same run take it to operations."""
    subject = f"{trip.playbook} has enrolled nobody and waits for you"
    with warehouse.session() as session:
        operations.notify(session, Notice(f"circuit_breaker:{trip.trip_id}", subject, trip.words), settings, now)


@dg.op(out=dg.Out(dg.Nothing), description="Open a trigger for every account that has just signed up.")
def greet_new_accounts(
    context: dg.OpExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    clock: dg.ResourceParam[Clock],
) -> None:
    """The lifecycle sensor offers them to playbooks."""
    opened = open_day(warehouse, clock.now())
    context.log.info("%s accounts signed up lately", sum(opened.values()))


@dg.op(
    ins={"after": dg.In(dg.Nothing)},
    out=dg.Out(dg.Nothing),
    description="End every play whose reason is gone, and complete those with nothing left to do.",
)
def end_plays(
    context: dg.OpExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> None:
    """Of all accounts, whatever is due; a delivery asks the same of what it is about to take."""
    with warehouse.session() as session:
        ended = exits.end_all_plays(session, AsOf(settings, clock.now()))
    context.log.info("plays ended: %s", dict(ended))
