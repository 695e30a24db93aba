"""Jobs by which people decide about alerts in the Dagster UI, as the commands of the group `alert` do."""

from datetime import timedelta
from enum import Enum

import dagster as dg
from pydantic import Field

from cs_pipeline.alerts import decisions
from cs_pipeline.alerts.rulebook import load_rules, rule_named
from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.keys import ALERTS
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.orchestration.run_owner import at_most, owned_executor
from cs_pipeline.reports.alerts.lists import silences
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


class AlertDecision(Enum):
    """What is decided about single alerts, as the launchpad offers it."""

    acknowledge = "acknowledge"
    snooze = "snooze"


class HeldDecision(Enum):
    """What is decided about the alerts that a rule holds."""

    release = "release"
    dismiss = "dismiss"


class AlertDecisionConfig(dg.Config):
    """What is decided about which alerts, and by whom."""

    decision: AlertDecision = Field(description="acknowledge, or snooze (tell nobody for a while).")
    alerts: list[int] = Field(description="Ids of alerts; all are decided on, or none.")
    days: int = Field(default=7, ge=1, description="snooze: for so many days.")
    reason: str = Field(default="", description="snooze: why; others see it.")
    decided_by: str = Field(default="dagster", description="Who says so; kept with the alert.")


class SilenceConfig(dg.Config):
    """What is to be silent, or not any more."""

    rule: str = Field(default="", description="Name of the rule; empty: every rule, for the account.")
    account: str = Field(default="", description="Id of the account; empty: every account, for the rule.")
    days: int = Field(default=7, ge=1, description="For so many days.")
    reason: str = Field(default="", description="Why; others see it.")
    lift: int = Field(default=0, description="Instead: id of a silence to end before its time.")
    said_by: str = Field(default="dagster", description="Who says so.")


class HeldConfig(dg.Config):
    """What is decided about what a rule holds."""

    rule: str = Field(description="Name of the rule.")
    decision: HeldDecision = Field(description="release: tell people; dismiss: close them.")
    decided_by: str = Field(default="dagster", description="Who says so; kept with the alerts.")


@dg.op(out=dg.Out(dg.Nothing), description="Acknowledge or snooze alerts.")
def decide_alerts(
    context: dg.OpExecutionContext,
    config: AlertDecisionConfig,
    warehouse: dg.ResourceParam[Warehouse],
    clock: dg.ResourceParam[Clock],
) -> None:
    """Alerts change state all the same; who is told of what is decided at the next evaluation."""
    now = clock.now()
    with warehouse.session() as session:
        if config.decision is AlertDecision.acknowledge:
            count = decisions.acknowledge(session, config.alerts, config.decided_by, now)
            words = f"{count:,} acknowledged"
        else:
            until = now + timedelta(days=config.days)
            count = decisions.snooze(session, config.alerts, until, config.reason, config.decided_by, now)
            words = f"{count:,} snoozed until {until:%Y-%m-%d %H:%M} UTC"
    context.log_event(dg.AssetObservation(ALERTS, description=words))


@dg.op(out=dg.Out(dg.Nothing), description="Silence a rule or an account for a while, or lift a silence.")
def set_silence(
    context: dg.OpExecutionContext,
    config: SilenceConfig,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> None:
    """What lasts is shown with the asset."""
    now = clock.now()
    if config.rule:
        rule_named(config.rule, load_rules(settings.config))
    with warehouse.session() as session:
        if config.lift:
            decisions.lift(session, config.lift, now)
            words = f"silence {config.lift} is lifted"
        else:
            until = now + timedelta(days=config.days)
            decisions.silence(session, config.rule, config.account, until, config.reason, config.said_by, now)
            what = " about ".join(filter(None, [config.rule, config.account]))
            words = f"{what} is silent until {until:%Y-%m-%d %H:%M} UTC"
        lasting = silences(session, now)
    context.log_event(dg.AssetObservation(ALERTS, description=words, metadata={"silences": table(lasting)}))


@dg.op(out=dg.Out(dg.Nothing), description="Release or dismiss the alerts that a rule holds: too many at once.")
def decide_held(
    context: dg.OpExecutionContext,
    config: HeldConfig,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> None:
    """What is released is told through the outbox."""
    now = clock.now()
    rule = rule_named(config.rule, load_rules(settings.config))
    with warehouse.session() as session:
        if config.decision is HeldDecision.release:
            count = decisions.release(session, rule, config.decided_by, settings, now)
            words = f"{count:,} alerts of {rule.name} go on, and people are told"
        else:
            count = decisions.dismiss(session, rule.name, config.decided_by, now)
            words = f"{count:,} alerts of {rule.name} are dismissed"
    context.log_event(dg.AssetObservation(ALERTS, description=words))


@dg.job(
    executor_def=owned_executor,
    tags=at_most(hours=3),
    description="Acknowledges or snoozes the alerts that the launchpad names.",
)
def decide_on_alerts() -> None:
    """One op."""
    decide_alerts()


@dg.job(
    executor_def=owned_executor,
    tags=at_most(hours=3),
    description="Silences a rule, an account, or one about the other for a while; or lifts a silence.",
)
def silence_alerts() -> None:
    """One op."""
    set_silence()


@dg.job(
    executor_def=owned_executor,
    tags=at_most(hours=3),
    description="Decides on alerts that a rule holds, because it wanted to fire for too many accounts at once.",
)
def decide_on_held_alerts() -> None:
    """One op."""
    decide_held()
