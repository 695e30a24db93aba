"""Assets that people launch when they want to look: how far plays are, and where a CSM's time goes first."""

import dagster as dg
from pydantic import Field

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.keys import (
    ACTIONS,
    CUSTOMER_SUCCESS,
    ENROLMENTS,
    HEALTH_SCORES,
    PLAY_PROGRESS,
    PLAYS_GROUP,
    WORK_QUEUE,
)
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.reports.plays.progress import progress, progress_table
from cs_pipeline.reports.plays.work_queue import work_queue, work_queue_table
from cs_pipeline.warehouse.connection import Warehouse

MOST_SHOWN = 200
"""Rows of a table in the UI."""


class QueueConfig(dg.Config):
    """How much of the queue to show."""

    limit: int = Field(default=50, ge=1, le=MOST_SHOWN, description="How many accounts.")


@dg.asset(
    key=PLAY_PROGRESS,
    deps=[ENROLMENTS, ACTIONS],
    group_name=PLAYS_GROUP,
    owners=[CUSTOMER_SUCCESS],
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
            "progress": table(progress_table(found.head(MOST_SHOWN))),
        }
    )


@dg.asset(
    key=WORK_QUEUE,
    deps=[HEALTH_SCORES, ACTIONS],
    group_name=PLAYS_GROUP,
    owners=[CUSTOMER_SUCCESS],
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
            "queue": table(work_queue_table(found).drop(columns="owner")),
        }
    )
