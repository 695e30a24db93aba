"""Every run has an owner that can be found dead: the executor that names it, the launcher and the sweep that look.

Dagster's DefaultRunLauncher cannot tell whether a run's process lives, so its run monitoring never ends a run whose
worker and code server were killed together: the run stays STARTED and keeps its place in the queue. Here the process
that executes a run says so in cs.living_processes, and the launcher answers Dagster's run monitoring from there. The
launchers of Docker, Celery and Kubernetes ask their own platform and need none of it.
"""

import json
from collections.abc import Iterator

import dagster as dg
import grpc
from dagster._core.definitions.executor_definition import IN_PROC_CONFIG
from dagster._core.events import DagsterEvent
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor
from dagster._core.executor.init import InitExecutorContext
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

from cs_pipeline.settings import load_settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.living import doing, process_of
from cs_pipeline.warehouse.locate import locate

ANSWER_SECONDS = 10
UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def at_most(hours: int) -> dict[str, str]:
    """The tag of a job whose run is ended when it takes longer: it hangs."""
    return {"dagster/max_runtime": str(hours * 3600)}


def task_of(run_id: str) -> str:
    """The task, in cs.living_processes, of executing a run."""
    return f"run {run_id}"


class OwnedExecutor(InProcessExecutor):
    """All steps in the run's own process, which is known to live as long as it does."""

    def execute(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[DagsterEvent]:
        """Execute the plan, as its base does."""
        settings = load_settings()
        with doing(locate(settings), task_of(plan_context.run_id), settings.home):
            yield from super().execute(plan_context, execution_plan)


@dg.executor(name="in_process", config_schema=IN_PROC_CONFIG)
def owned_executor(context: InitExecutorContext) -> OwnedExecutor:
    """The executor of all our jobs: a run is one process."""
    return OwnedExecutor(RetryMode.from_config(context.executor_config["retries"]))  # pyright: ignore[reportArgumentType]


class PipelineRunLauncher(DefaultRunLauncher):
    """Dagster's own launcher, that knows whether the process of a run lives. `dagster.yaml` names it."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes: run monitoring asks every `poll_interval_seconds`."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """NOT_FOUND when the run's process is gone; RUNNING when it lives, or when nobody can say."""
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
    server = run.tags.get(GRPC_INFO_TAG)
    return _why_unknown_to_server(run.run_id, server) if server else ""


def fail_abandoned_runs(instance: dg.DagsterInstance, warehouse: Warehouse) -> list[dg.DagsterRun]:
    """Mark runs as failed that nobody executes any more; returns them. Retries and sensors go on from there.

    For a start, when no daemon is at work on this database: then nobody launches either, so that a run which is about
    to start and has no code server will never start.
    """
    abandoned = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=UNDER_WAY)):
        run = record.dagster_run
        why = why_abandoned(warehouse, run)
        if not why and run.status == dg.DagsterRunStatus.STARTING and GRPC_INFO_TAG not in run.tags:
            why = "whoever launched it is gone"
        if not why:
            continue
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, f"Found at start: {why}.")
        else:
            instance.report_run_failed(run, f"Found at start: {why}.")
        abandoned.append(run)
    return abandoned


def _why_unknown_to_server(run_id: str, server: str) -> str:
    """In words, why the code server of a run does not execute it; empty when it does, or does not say in time."""
    at = json.loads(server)
    client = DagsterGrpcClient(
        port=at.get("port"), socket=at.get("socket"), host=at.get("host"), use_ssl=bool(at.get("use_ssl"))
    )
    try:
        answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run_id), timeout=ANSWER_SECONDS)
    except Exception as error:  # Dagster wraps what gRPC raises
        return "its code server is gone" if _is_unavailable(error) else ""
    is_known = deserialize_value(answer, CanCancelExecutionResult).can_cancel
    return "" if is_known else "its code server does not execute it"


def _is_unavailable(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, grpc.RpcError):
            return isinstance(error, grpc.Call) and error.code() == grpc.StatusCode.UNAVAILABLE
        error = error.__cause__ or error.__context__
    return False
