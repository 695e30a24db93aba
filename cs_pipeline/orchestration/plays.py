"""Plays in Dagster: jobs that enrol accounts and take due actions, and the tables they write, as assets to look at."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from pydantic import Field

from cs_pipeline.channels.by_email import WEBHOOK_CHANNELS
from cs_pipeline.channels.select import channels_for
from cs_pipeline.channels.sendgrid_suppressions import read_suppressions
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.failures import to_operations
from cs_pipeline.orchestration.jobs import SERIAL_TAG
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.plays import stuck, suppressions
from cs_pipeline.plays.circuit_breaker import Trip
from cs_pipeline.plays.delivery import DeliverySummary, deliver_due
from cs_pipeline.plays.enrolment import EnrolmentSummary, enrol
from cs_pipeline.plays.rendering import Renderer
from cs_pipeline.plays.specification import Playbook, load_playbooks
from cs_pipeline.plays.status import actions_by_status, enrolments_by_playbook, recent_messages
from cs_pipeline.plays.triggers import open_lifecycle_triggers
from cs_pipeline.reports.play_tables import messages_as_markdown
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

GROUP = "plays"
OWNERS = ["team:customer-success"]
TRIGGERS = dg.AssetKey(["cs", "triggers"])
ENROLMENTS = dg.AssetKey(["cs", "enrolments"])
ACTIONS = dg.AssetKey(["cs", "actions"])
MESSAGES = dg.AssetKey(["cs", "captured_messages"])

PLAY_ASSETS = [
    dg.AssetSpec(
        ENROLMENTS,
        deps=[TRIGGERS],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"postgres"},
        description=(
            "One row per playbook and trigger: the account was enrolled, or refused with the reason. "
            "Written by the job run_playbooks."
        ),
    ),
    dg.AssetSpec(
        ACTIONS,
        deps=[ENROLMENTS],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"postgres"},
        description=(
            "The outbox: one row per step of a play, with its state from planned to sent, or why it was not taken. "
            "The only door to the outside."
        ),
    ),
    dg.AssetSpec(
        MESSAGES,
        deps=[ACTIONS],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"postgres", "html"},
        description="Messages that were captured instead of sent, as their reader would see them.",
    ),
]


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
            if batch.playbook not in playbooks:
                raise UserError(f"There is no playbook '{batch.playbook}'; there are: {', '.join(playbooks)}")
            renderer.check(playbooks[batch.playbook])
        except UserError as error:
            problems.append(str(error))
            continue
        summary = enrol(warehouse, playbooks[batch.playbook], batch.trigger_ids, settings, clock.now())
        if summary.trip:
            context.log.error(summary.trip.words)
            if summary.trip.is_new:
                _ask_a_person(summary.trip, settings, warehouse, clock)
        context.log.info("%s: %s enrolled, refused: %s", batch.playbook, summary.enrolled, dict(summary.refused))
        context.log_event(_enrolled(warehouse, playbooks[batch.playbook], summary))
    if problems:
        raise UserError("\n".join(problems))


def _enrolled(warehouse: Warehouse, playbook: Playbook, summary: EnrolmentSummary) -> dg.AssetMaterialization:
    with warehouse.session() as session:
        enrolments = enrolments_by_playbook(session)
    return dg.AssetMaterialization(
        ENROLMENTS,
        description=f"{playbook.title}: {summary.enrolled} enrolled",
        metadata={
            "playbook": playbook.playbook,
            "enrolled": summary.enrolled,
            "refused": dict(summary.refused),
            "waits_for_a_person": summary.trip.words if summary.trip else "",
            "actions": dict(summary.actions),
            "enrolments": table(enrolments),
        },
    )


def _ask_a_person(trip: Trip, settings: Settings, warehouse: Warehouse, clock: Clock) -> None:
    if settings.delivery == "live" and settings.slack_bot_token is None:
        return  # `doctor` asks
    subject = f"{trip.playbook} has enrolled nobody and waits for you"
    message = to_operations("circuit_breaker", str(trip.trip_id), subject, trip.words, settings, clock)
    channels_for(settings, warehouse, clock)["slack"].deliver([message])


@dg.op(out=dg.Out(dg.Nothing), description="Open a trigger for every account that has just signed up.")
def greet_new_accounts(
    context: dg.OpExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> None:
    """The lifecycle sensor offers them to playbooks."""
    with warehouse.session() as session:
        opened = open_lifecycle_triggers(session, clock.now())
    context.log.info("%s accounts signed up lately", opened)
    _tell_of_stuck_actions(context, warehouse, settings, clock)


@dg.op(out=dg.Out(dg.Nothing), description="Take over from SendGrid who unsubscribed, bounced or reported spam.")
def sync_suppressions(
    context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Warehouse], settings: dg.ResourceParam[Settings]
) -> None:
    """Nothing is asked of SendGrid while nothing is sent through it."""
    if settings.delivery == "capture" or settings.sendgrid_api_key is None:
        context.log.info("messages are captured, so SendGrid knows of nobody")
        return
    found = read_suppressions(
        settings.sendgrid_api_key, settings.sendgrid_host, unsubscribe_group=settings.sendgrid_unsubscribe_group
    )
    with warehouse.session() as session:
        added = suppressions.add(session, found)
    context.log.info("%s addresses on SendGrid's lists, %s of them new", len(found), added)


TOGETHER = {"email": ("email", *WEBHOOK_CHANNELS)}  # an op is a step of every run, and text messages are few
MOST = 100_000  # actions that a run takes of a channel; the sensor launches the next
MOST_IN_A_RUN = {"slack": 600}  # a message a second and conversation


def _delivering_op(channel: str, verb: str) -> dg.OpDefinition:
    carried = TOGETHER.get(channel, (channel,))

    @dg.op(
        name=f"{verb}_due_{channel}",
        ins={"after": dg.In(dg.Nothing)},
        out=dg.Out(dg.Nothing),
        description=f"Take the due actions of {' and '.join(carried)}: guards, message, delivery, record.",
    )
    def deliver(
        context: dg.OpExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> None:
        known = channels_for(settings, warehouse, clock)
        channels = {name: known[name] for name in carried}
        limit = MOST_IN_A_RUN.get(channel, MOST)
        summary = deliver_due(warehouse, channels, Renderer(settings), settings, clock, limit=limit)
        for problem in summary.problems:
            context.log.error(problem)
        if summary.outcomes or summary.suppressed or summary.failed or summary.postponed:
            for event in _delivered(warehouse, settings, channel, summary):
                context.log_event(event)

    return deliver


def _delivered(
    warehouse: Warehouse, settings: Settings, channel: str, summary: DeliverySummary
) -> Iterator[dg.AssetMaterialization]:
    outcomes = {outcome: summary.count(outcome) for _, outcome in summary.outcomes}
    with warehouse.session() as session:
        outbox, messages = actions_by_status(session), recent_messages(session)
    metadata: Mapping[str, Any] = {
        "channel": channel,
        "outcomes": outcomes,
        "suppressed": dict(summary.suppressed),
        "failed": dict(summary.failed),
        "postponed": dict(summary.postponed),
        "ended_plays": dict(summary.ended),
        "outbox": table(outbox),
    }
    words = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())) or "nothing sent"
    yield dg.AssetMaterialization(ACTIONS, description=f"{channel}: {words}", metadata=metadata)
    if outcomes.get("captured"):
        yield dg.AssetMaterialization(
            MESSAGES,
            description=f"{outcomes['captured']} messages captured",
            metadata={
                "all_messages": dg.MetadataValue.url(settings.messages_url),
                "newest": dg.MetadataValue.md(messages_as_markdown(messages, settings.messages_url)),
            },
        )


send_due_email = _delivering_op("email", "send")
post_due_slack = _delivering_op("slack", "post")
create_due_crm = _delivering_op("crm", "create")


@dg.op(out=dg.Out(dg.Nothing), description="Start a delivery: tell operations of actions that need a person.")
def start_delivery(
    context: dg.OpExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> None:
    """The channels hang on it, one after the other."""
    _tell_of_stuck_actions(context, warehouse, settings, clock)


def _tell_of_stuck_actions(
    context: dg.OpExecutionContext, warehouse: Warehouse, settings: Settings, clock: Clock
) -> None:
    """One message about everything that operations were not told of yet; again later when it could not be posted."""
    if settings.delivery == "live" and settings.slack_bot_token is None:
        return  # `doctor` asks
    with warehouse.session() as session:
        found = stuck.untold(session, clock.now())
    if found is None:
        return
    which = f"{found.action_ids[0]}-{found.action_ids[-1]}-{len(found.action_ids)}-{clock.now():%Y%m%dT%H%M}"
    message = to_operations("stuck_actions", which, found.subject, found.words, settings, clock)
    (outcome,) = channels_for(settings, warehouse, clock)["slack"].deliver([message])
    if outcome.status not in ("sent", "uncertain"):
        context.log.error("operations could not be told of %s: %s", found.subject, outcome.detail)
        return
    with warehouse.session() as session:
        stuck.mark_told(session, found.action_ids, clock.now())
    context.log.warning("%s\n%s", found.subject, found.words)


@dg.job(
    executor_def=dg.in_process_executor,
    tags={"dagster/max_retries": "3"},
    description=(
        "Decides on batches of triggers, one a playbook, plans the steps of every account that enters, and takes "
        "those that are due at once. Launched by the sensors; safe to run again."
    ),
)
def run_playbooks() -> None:
    """Enrol, then e-mail, post and create tasks."""
    enrolled = enrol_accounts()
    send_due_email(enrolled)
    post_due_slack(enrolled)
    create_due_crm(enrolled)


@dg.job(
    executor_def=dg.in_process_executor,
    tags={SERIAL_TAG: "deliver_due_actions", "dagster/max_retries": "3"},
    description="Takes the actions that are due: e-mails, Slack messages, CRM tasks. Launched by the sensor.",
)
def deliver_due_actions() -> None:
    """E-mail, post and create tasks."""
    started = start_delivery()
    send_due_email(started)
    post_due_slack(started)
    create_due_crm(started)


@dg.job(
    executor_def=dg.in_process_executor,
    tags={SERIAL_TAG: "deliver_due_actions", "dagster/max_retries": "3"},
    description="Once a day: greets new accounts, ends plays whose reason is gone, takes due actions.",
)
def daily_plays() -> None:
    """Greet, then e-mail, post and create tasks; beside that, suppressions, whose failure holds nothing up."""
    sync_suppressions()
    greeted = greet_new_accounts()
    send_due_email(greeted)
    post_due_slack(greeted)
    create_due_crm(greeted)
