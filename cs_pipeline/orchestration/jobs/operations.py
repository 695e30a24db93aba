"""Jobs by which people decide about actions and ask about them in the Dagster UI, as the commands of those names do.

Erasing a person is no job on purpose: a run's configuration is kept, and would name whom it erased.
"""

from enum import Enum
from typing import cast

import dagster as dg
from pydantic import Field

from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.keys import ACTIONS, ENROLMENTS
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.orchestration.run_owner import at_most, owned_executor
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.outbox import kill_switch, manual_actions
from cs_pipeline.plays.playbooks.reading import load_playbooks, playbook_named
from cs_pipeline.plays.simulation.preview import preview
from cs_pipeline.reports.plays.action_story import tell_action
from cs_pipeline.reports.plays.queries import waiting_for_people
from cs_pipeline.reports.plays.text import preview_refusal, preview_title, previewed_steps
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


class Decision(Enum):
    """The decisions, as the launchpad offers them."""

    approve = "approve"
    hold = "hold"
    cancel = "cancel"
    resend = "resend"


class SwitchScope(Enum):
    """What can be stopped, as the launchpad offers it."""

    everything = "everything"
    channel = "channel"
    playbook = "playbook"
    account = "account"


class DecisionConfig(dg.Config):
    """What is decided about which actions, and by whom."""

    decision: Decision = Field(description="approve, hold, cancel or resend (a new, logged attempt).")
    actions: list[int] = Field(description="Ids of actions; all are decided on, or none.")
    decided_by: str = Field(default="dagster", description="Who says so; kept with the decision.")


class ActionConfig(dg.Config):
    """Which action."""

    action: int = Field(description="Id of an action.")


class PreviewConfig(dg.Config):
    """Which play, for whom."""

    playbook: str = Field(description="Name of a playbook.")
    account: str = Field(description="Id of an account.")


class SwitchConfig(dg.Config):
    """What is stopped or goes on, and why."""

    scope: SwitchScope = Field(description="everything, channel, playbook or account.")
    name: str = Field(default=kill_switch.EVERYTHING, description="Which one; * for everything.")
    stops: bool = Field(default=True, description="Stop it; false: let it go on.")
    reason: str = Field(default="", description="Why it is stopped; shown to everybody who wonders.")
    said_by: str = Field(default="dagster", description="Who says so.")


@dg.op(out=dg.Out(dg.Nothing), description="Approve, hold, cancel or resend actions; sends nothing itself.")
def decide(
    context: dg.OpExecutionContext,
    config: DecisionConfig,
    warehouse: dg.ResourceParam[Warehouse],
    clock: dg.ResourceParam[Clock],
) -> None:
    """What may go out is taken by the next delivery, whose guards are asked as ever."""
    verb = cast("manual_actions.Verb", config.decision.value)
    with warehouse.session() as session:
        count = manual_actions.decide(session, verb, config.actions, config.decided_by, clock.now())
        waiting = waiting_for_people(session)
    words = f"{count:,} {manual_actions.DECISIONS[verb].done}"
    context.log.info(words)
    context.log_event(dg.AssetObservation(ACTIONS, description=words, metadata={"waiting": table(waiting)}))


@dg.op(out=dg.Out(dg.Nothing), description="Tell where an action comes from, back to score, metrics and source rows.")
def explain(context: dg.OpExecutionContext, config: ActionConfig, warehouse: dg.ResourceParam[Warehouse]) -> None:
    """As an observation of the outbox."""
    story = tell_action(warehouse, config.action)
    context.log_event(
        dg.AssetObservation(
            ACTIONS,
            description=f"Why action {config.action}",
            metadata={
                "story": dg.MetadataValue.md("\n\n".join(story.paragraphs)),
                **{title: table(rows) for title, rows in story.tables.items() if not rows.empty},
            },
        )
    )


@dg.op(out=dg.Out(dg.Nothing), description="Say what each step of a play would do for an account today.")
def show_preview(
    context: dg.OpExecutionContext,
    config: PreviewConfig,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> None:
    """No addresses or texts, which Dagster would keep: `cs-pipeline play preview --output` writes them to a page."""
    playbook = playbook_named(config.playbook, load_playbooks(settings.config))
    with warehouse.session() as session:
        as_of = AsOf(settings, clock.now())
        found = preview(session, playbook, config.account, Renderer(settings), as_of)
    context.log_event(
        dg.AssetObservation(
            ENROLMENTS,
            description=f"Preview of {preview_title(found)}",
            metadata={
                "trigger": found.cause,
                "would_not_begin_because": preview_refusal(found),
                "steps": table(previewed_steps(found).drop(columns="to")),
            },
        )
    )


@dg.op(out=dg.Out(dg.Nothing), description="Stop everything, a channel, a playbook or an account at once, or go on.")
def set_kill_switch(
    context: dg.OpExecutionContext,
    config: SwitchConfig,
    warehouse: dg.ResourceParam[Warehouse],
    clock: dg.ResourceParam[Clock],
) -> None:
    """What is planned stays planned, and goes on when the switch is lifted unless it is stale by then."""
    scope = cast("kill_switch.Scope", config.scope.value)
    name = kill_switch.EVERYTHING if scope == "everything" else config.name
    if scope != "everything" and name == kill_switch.EVERYTHING:
        raise UserError(f"Name the {scope}")
    if config.stops and not config.reason:
        raise UserError("Say why, in reason: somebody will wonder.")
    with warehouse.session() as session:
        if config.stops:
            kill_switch.stop(session, scope, name, config.reason, config.said_by, clock.now())
        elif not kill_switch.lift(session, scope, name):
            raise UserError(f"{scope} {name} was not stopped")
    context.log.info("%s %s %s", scope, name, "is stopped" if config.stops else "goes on")


@dg.job(
    executor_def=owned_executor,
    tags=at_most(hours=3),
    description="Approves, holds, cancels or resends the actions that the launchpad names. The guards stay.",
)
def decide_on_actions() -> None:
    """One op."""
    decide()


@dg.job(
    executor_def=owned_executor,
    tags=at_most(hours=3),
    description="Tells the story of an action: message, play, trigger, score, metrics, model version, source rows.",
)
def why_action() -> None:
    """One op."""
    explain()


@dg.job(
    executor_def=owned_executor,
    tags=at_most(hours=3),
    description="Shows what each step of a play would do for an account, were it to begin today. Writes nothing.",
)
def preview_play() -> None:
    """One op."""
    show_preview()


@dg.job(
    executor_def=owned_executor,
    tags=at_most(hours=3),
    description="The kill switch: stops everything, a channel, a playbook or an account, or lets it go on.",
)
def stop_or_resume() -> None:
    """One op."""
    set_kill_switch()
