"""Job that starts a play by hand, as `cs-pipeline play start` does."""

import dagster as dg
from pydantic import Field

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.keys import ENROLMENTS
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.orchestration.run_owner import at_most, owned_executor
from cs_pipeline.plays.enrolment.manual import start
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.playbooks.reading import load_playbooks, playbook_named
from cs_pipeline.plays.triggers.manual import Ask
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


class StartConfig(dg.Config):
    """Which play a person starts, for whom, and why."""

    playbook: str = Field(description="Name of a playbook that people start (trigger.kind is manual).")
    accounts: list[str] = Field(description="Ids of accounts.")
    reason: str = Field(default="", description="Why; kept with the play.")
    started_by: str = Field(default="dagster", description="Who says so.")
    key: str = Field(default="", description="Asked for again with the same key, nothing starts. Empty: the day.")


@dg.op(out=dg.Out(dg.Nothing), description="Start a play for accounts, with every guard; says who did not enter.")
def start_accounts(
    context: dg.OpExecutionContext,
    config: StartConfig,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> None:
    """What is due at once is taken by the next delivery, within a minute."""
    playbook = playbook_named(config.playbook, load_playbooks(settings.config))
    Renderer(settings).check(playbook)
    ask = Ask(config.started_by, config.reason, config.key)
    found = start(warehouse, playbook, config.accounts, ask, settings, clock.now())
    counts = found.outcomes["outcome"].value_counts().to_dict()
    words = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    context.log.info("%s: %s", playbook.title, words)
    context.log_event(
        dg.AssetMaterialization(
            ENROLMENTS,
            description=f"{playbook.title}, by hand: {words}",
            metadata={
                "playbook": playbook.playbook,
                "asked_for_before": len(found.outcomes) - found.new,
                "waits_for_a_person": found.trip.words if found.trip else "",
                "outcomes": table(found.outcomes),
            },
        )
    )


@dg.job(
    executor_def=owned_executor,
    tags=at_most(hours=3),
    description=(
        "Starts a play by hand for the accounts that the launchpad names, such as save_offer. Every guard of enrolment "
        "is asked; running it again on the same day, or with the same key, starts nothing again."
    ),
)
def start_play() -> None:
    """One op."""
    start_accounts()
