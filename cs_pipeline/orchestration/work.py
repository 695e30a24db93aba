"""What people work by, in the Dagster UI: a play started by hand, how far plays are, where time goes first."""

import dagster as dg
from pydantic import Field

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.effect import effects_of_plays
from cs_pipeline.orchestration.jobs import PROGRESS, WORK_QUEUE
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.orchestration.play_assets import ACTIONS, ENROLMENTS, GROUP, OWNERS
from cs_pipeline.orchestration.run_owner import at_most, owned_executor
from cs_pipeline.orchestration.scores import HEALTH_SCORES
from cs_pipeline.plays.enrolment.manual import start
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.playbooks.schema import load_playbooks, playbook_named
from cs_pipeline.plays.triggers.manual import Ask
from cs_pipeline.reports.plays.progress import progress, progress_for_people
from cs_pipeline.reports.plays.work_queue import queue_for_people, work_queue
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

MOST_SHOWN = 200  # rows of a table in the UI


class StartConfig(dg.Config):
    """Which play a person starts, for whom, and why."""

    playbook: str = Field(description="Name of a playbook that people start (trigger.kind is manual).")
    accounts: list[str] = Field(description="Ids of accounts.")
    reason: str = Field(default="", description="Why; kept with the play.")
    started_by: str = Field(default="dagster", description="Who says so.")
    key: str = Field(default="", description="AsOf again with the same key starts nothing. Empty: the day.")


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


class QueueConfig(dg.Config):
    """How much of the queue to show."""

    limit: int = Field(default=50, ge=1, le=MOST_SHOWN, description="How many accounts.")


@dg.asset(
    key=PROGRESS,
    deps=[ENROLMENTS, ACTIONS],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"postgres"},
    description=(
        "How far every running play is: steps done, milestones, what comes next, and what is wrong, those in trouble "
        "first. Launch it by hand whenever somebody wants to look."
    ),
)
def progress_of_plays(warehouse: dg.ResourceParam[Warehouse], clock: dg.ResourceParam[Clock]) -> dg.MaterializeResult:
    """Read and show."""
    with warehouse.session() as session:
        found = progress(session, clock.now())
    return dg.MaterializeResult(
        metadata={
            "plays": len(found),
            "by_health": found["health"].value_counts().to_dict(),
            "progress": table(progress_for_people(found.head(MOST_SHOWN))),
        }
    )


@dg.asset(
    key=WORK_QUEUE,
    deps=[HEALTH_SCORES, ACTIONS],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"postgres"},
    description=(
        "Where a CSM's time goes first: accounts by ARR times risk, with what holds their score back, days to renewal, "
        "the play they are in and its next step. Launch it by hand whenever somebody wants to look; "
        "`cs-pipeline queue --owner` shows that of one person."
    ),
)
def queue_of_work(
    config: QueueConfig, warehouse: dg.ResourceParam[Warehouse], clock: dg.ResourceParam[Clock]
) -> dg.MaterializeResult:
    """Read and show, without the owners: Dagster keeps what it shows, and a person can ask to be erased."""
    with warehouse.session() as session:
        found = work_queue(session, clock.now(), limit=config.limit)
    return dg.MaterializeResult(
        metadata={
            "accounts": len(found),
            "arr_at_stake": float(found["at_stake"].sum()),
            "queue": table(queue_for_people(found).drop(columns="owner")),
        }
    )


LOOKED_AT = [effects_of_plays, progress_of_plays, queue_of_work]
