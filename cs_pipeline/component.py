"""The pipeline as a component of Dagster: with `dg` a team mounts it in a code location of its own.

`cs-pipeline up`, and Dagster without `dg`, load `definitions` instead. What is mounted is put together in
`orchestration`.
"""

import copy
import os
from pathlib import Path
from typing import Annotated, Any

import dagster as dg

from cs_pipeline.settings import PREFIX, load_settings


class CustomerSuccessPipeline(dg.Component, dg.Model, dg.Resolvable):
    """Scores customers week by week and runs plays, alerts and reports: all of `cs_pipeline` in this code location.

    What is left out here is as the environment says, `CS_PIPELINE_DATABASE_URL` and so on; `cs-pipeline doctor` reads
    the same. Nothing is sent until `CS_PIPELINE_DELIVERY` says so.
    """

    database_url: Annotated[
        str | None,
        dg.Resolver.default(
            description="PostgreSQL of the pipeline, as postgresql://user:password@host:5432/database.",
            examples=["{{ env.CUSTOMER_SUCCESS_DATABASE_URL }}"],
        ),
    ] = None
    config: Annotated[
        str | None,
        dg.Resolver.default(
            description="Folder of score models, playbooks, alerts.yaml and dbt_models, as `cs-pipeline init` writes "
            "it; relative to the project.",
            examples=["config"],
        ),
    ] = None
    home: Annotated[
        str | None,
        dg.Resolver.default(
            description="Folder for captured messages, pages and what dbt makes; relative to the project.",
            examples=[".cs_pipeline"],
        ),
    ] = None
    runs_by_itself: Annotated[
        bool,
        dg.Resolver.default(
            description="Schedules and sensors run from the first load on; false: each waits until it is switched on "
            "in the Dagster UI.",
        ),
    ] = True

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What `dg list components` and the UI say of it."""
        return dg.ComponentTypeSpec(
            description="Customer-success pipeline: health scores, renewals, plays, alerts.",
            tags=["customer-success", "dbt", "postgres"],
            produces=["asset", "asset_check", "job", "schedule", "sensor", "resource"],
        )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """All definitions, for these attributes.

        They become variables of this process: what it starts, as dbt, and what loads settings itself see the same.
        """
        from cs_pipeline.orchestration.build import build_defs

        asked = {
            "DATABASE_URL": self.database_url,
            "CONFIG": self.config and str(_in(context.project_root, self.config)),
            "HOME": self.home and str(_in(context.project_root, self.home)),
        }
        os.environ.update({f"{PREFIX}{name}": value for name, value in asked.items() if value})
        found = build_defs(load_settings())
        return found if self.runs_by_itself else _switched_off(found)


def _in(project: Path, folder: str) -> Path:
    return project / Path(folder).expanduser()


def _switched_off(found: dg.Definitions) -> dg.Definitions:
    schedules: list[Any] = [copy.copy(each) for each in found.schedules or ()]
    sensors = [copy.copy(each) for each in found.sensors or ()]
    for each in schedules:
        each._default_status = dg.DefaultScheduleStatus.STOPPED  # there is no public way
    for each in sensors:
        each._default_status = dg.DefaultSensorStatus.STOPPED
    return dg.Definitions(
        assets=found.assets,
        asset_checks=found.asset_checks,
        jobs=found.jobs,
        schedules=schedules,
        sensors=sensors,
        resources=found.resources,
        executor=found.executor,
    )
