"""Tell whether anybody still executes a run: the executor names its process, the launcher and the daemon look for it.

Dagster's DefaultRunLauncher cannot tell whether a run's process lives, so its run monitoring never ends a run whose
worker and code server were killed together: the run stays STARTED and keeps its place in the queue. Here the process
that executes a run says so in cs.living_processes, and the launcher answers Dagster's run monitoring from there. The
launchers of Docker and Kubernetes ask their own platform and need none of it; that of Celery asks here too.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus  # what a launcher returns has no public name

from cs_pipeline.logs import is_of_run
from cs_pipeline.orchestration.code_server_client import why_not_executing
from cs_pipeline.orchestration.keys import CODE_SERVER_TAG, MAX_RUNTIME_TAG
from cs_pipeline.settings import load_settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.living import doing, process_of
from cs_pipeline.warehouse.locate import locate

Within = Callable[[], AbstractContextManager[object]]

UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def at_most(hours: int) -> dict[str, str]:
    """The tag of a job whose run is ended when it takes longer: it hangs."""
    return {MAX_RUNTIME_TAG: str(hours * 3600)}


def task_of(run_id: str) -> str:
    """The task, in cs.living_processes, of executing a run."""
    return f"run {run_id}"


class OwnedExecutor(dg.Executor):
    """An executor of Dagster's, whose process is known to live as long as it does."""

    def __init__(self, of_dagster: dg.Executor, within: Within) -> None:
        self._of_dagster = of_dagster
        self._within = within

    @property
    def retries(self) -> Any:
        """How Dagster's own executor retries steps."""
        return self._of_dagster.retries

    def __getattr__(self, name: str) -> Any:
        """Whatever else the loop of Dagster's own executor asks it for."""
        return getattr(self._of_dagster, name)

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """Execute the plan, as Dagster's own executor does."""
        settings = load_settings()
        is_of_run(plan_context.run_id, plan_context.job_name)
        with doing(locate(settings), task_of(plan_context.run_id), settings.home), self._within():
            yield from self._of_dagster.execute(plan_context, execution_plan)


def owned(of_dagster: dg.ExecutorDefinition, within: Within = nullcontext) -> dg.ExecutorDefinition:
    """The same executor, that says which process executes a run; it executes `within` a context."""
    make = of_dagster.executor_creation_fn
    assert make, "Dagster's own executors can be made"

    @dg.executor(
        name=of_dagster.name,
        config_schema=of_dagster.config_schema,  # pyright: ignore[reportArgumentType]
        requirements=of_dagster.get_requirements,
    )
    def executor(context: dg.InitExecutorContext) -> OwnedExecutor:
        return OwnedExecutor(make(context), within)

    return executor


owned_executor = owned(dg.in_process_executor)
"""The executor of all our jobs: a run is one process."""


class PipelineRunLauncher(dg.DefaultRunLauncher):
    """Dagster's own launcher, that knows whether the process of a run lives. `dagster.yaml` names it."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes: run monitoring asks every `poll_interval_seconds`."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """NOT_FOUND when the run's process is gone; RUNNING when it lives, or when nobody can say."""
        return health_of(run)


def health_of(run: dg.DagsterRun) -> CheckRunHealthResult:
    """What run monitoring is to know of the process that executes `run`."""
    why_gone = why_abandoned(locate(load_settings()), run)
    return CheckRunHealthResult(WorkerStatus.NOT_FOUND if why_gone else WorkerStatus.RUNNING, why_gone or None)


def why_abandoned(warehouse: Warehouse, run: dg.DagsterRun) -> str:
    """In words, why nobody executes `run` any more; empty when somebody does, or may.

    A run that did not come as far as to name its process is its code server's.
    """
    with warehouse.session() as session:
        process = process_of(session, task_of(run.run_id))
    if process is not None:
        return "" if process.is_alive else f"its {process.words}, is gone"
    server = run.tags.get(CODE_SERVER_TAG)
    return why_not_executing(run.run_id, json.loads(server)) if server else ""


def fail_abandoned_runs(instance: dg.DagsterInstance, warehouse: Warehouse) -> list[dg.DagsterRun]:
    """Mark runs as failed that nobody executes any more; returns them. Retries and sensors go on from there.

    For a start, when no daemon is at work on this database: then nobody launches either, so that a run which is about
    to start and has no code server will never start.
    """
    abandoned = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=UNDER_WAY)):
        run = record.dagster_run
        why = why_abandoned(warehouse, run)
        if not why and run.status == dg.DagsterRunStatus.STARTING and CODE_SERVER_TAG not in run.tags:
            why = "whoever launched it is gone"
        if not why:
            continue
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, f"Found at start: {why}.")
        else:
            instance.report_run_failed(run, f"Found at start: {why}.")
        abandoned.append(run)
    return abandoned
