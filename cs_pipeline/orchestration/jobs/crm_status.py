"""Job that reads back from the connected CRM what became of tasks and opportunities."""

import dagster as dg
from pydantic import Field

from cs_pipeline.channels.routing import connected_crm
from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.keys import MAX_RETRIES_TAG, TASK_STATUS
from cs_pipeline.orchestration.metadata import table
from cs_pipeline.orchestration.run_owner import at_most, owned_executor
from cs_pipeline.plays.outbox.crm_sync import read_back, status_by_crm
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse


class ReadCrmConfig(dg.Config):
    """Which records are asked for."""

    again: bool = Field(
        default=False,
        description="Also those that were completed or removed when last asked for: somebody may have reopened them.",
    )


@dg.op(out=dg.Out(dg.Nothing), description="Ask the connected CRM what became of tasks and opportunities.")
def read_statuses(
    context: dg.OpExecutionContext,
    config: ReadCrmConfig,
    warehouse: dg.ResourceParam[Warehouse],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> None:
    """Nothing is asked where no CRM is connected, or messages are captured."""
    crm = connected_crm(settings)
    if crm is None:
        context.log.info("no CRM is connected: tasks stand in cs.crm_tasks")
        return
    found = read_back(warehouse, crm, clock.now(), again=config.again)
    with warehouse.session() as session:
        status = status_by_crm(session)
    words = f"{crm.name}: asked for {found.asked}; {found.completed} completed, {found.removed} removed"
    context.log.info(words)
    context.log_event(
        dg.AssetMaterialization(
            TASK_STATUS,
            description=words,
            metadata={
                "asked": found.asked,
                "completed": found.completed,
                "removed": found.removed,
                "status": table(status),
            },
        )
    )


@dg.job(
    executor_def=owned_executor,
    tags={MAX_RETRIES_TAG: "2", **at_most(hours=3)},
    description="Reads back from the connected CRM which tasks and opportunities are done. Launched by the schedule.",
)
def read_crm_status() -> None:
    """One reading."""
    read_statuses()
