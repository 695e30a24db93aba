"""Open what commands that run jobs need: warehouse, Dagster instance, code location, clock."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import dagster as dg

from cs_pipeline.cli.services import environment_for, prepare_dagster_home, start_warehouse
from cs_pipeline.clock import Clock
from cs_pipeline.demo.story import Runtime
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.launch import Launcher
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.trial import require_usable


@contextmanager
def open_runtime(settings: Settings) -> Iterator[Runtime]:
    """All of it on the warehouse of `settings`; its runs show in the Dagster UI of the same home."""
    from cs_pipeline.orchestration.build import build_defs
    from cs_pipeline.orchestration.instance_storage import connections_kept

    logging.getLogger("dagster").setLevel(logging.ERROR)  # the Dagster UI has the rest
    warehouse = start_warehouse(settings)
    require_usable(warehouse)
    prepare_dagster_home(settings)
    os.environ.update(environment_for(settings, warehouse))  # Dagster reads its instance from the environment
    clock = Clock(settings.now)
    with dg.DagsterInstance.get() as instance, connections_kept(instance):
        launcher = Launcher(build_defs(settings, clock), instance, settings.home / "logs" / "runs.log")
        yield Runtime(settings, warehouse, launcher, clock)


def require_weeks(settings: Settings, first: date, last: date) -> None:
    """Raise UserError unless `first` to `last` are weeks that exist: not before the first, and over."""
    from cs_pipeline.orchestration.partitions import last_ended_week

    newest = last_ended_week(Clock(settings.now).now())
    if first < settings.first_week:
        raise UserError(
            f"{first} lies before the first week, {settings.first_week}; "
            "set CS_PIPELINE_FIRST_WEEK to an earlier Monday"
        )
    if last > newest:
        raise UserError(f"{last} is not over yet; the last week that has ended is {newest}")
