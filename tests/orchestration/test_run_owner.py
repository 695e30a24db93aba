"""A run whose process is gone is found and failed, whatever it was doing; one whose process lives is left alone."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.launcher.base import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._daemon.auto_run_reexecution.auto_run_reexecution import filter_runs_to_should_retry

from cs_pipeline.orchestration.build import build_defs
from cs_pipeline.orchestration.jobs.alerts import evaluate_alerts, scorecards_job
from cs_pipeline.orchestration.jobs.plays import deliver_due_actions
from cs_pipeline.orchestration.run_owner import PipelineRunLauncher, fail_abandoned_runs, owned_executor, task_of
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.living import doing
from tests.conftest import ROOT

STARTING, STARTED, CANCELING = (
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
GONE = {GRPC_INFO_TAG: '{"host": "localhost", "socket": "/nowhere/socket"}'}


@dg.job
def work() -> None:
    """A job."""


@dataclass
class Runs:
    """Runs on an instance, and who executes them."""

    warehouse: Warehouse
    instance: dg.DagsterInstance

    def new(self, status: dg.DagsterRunStatus, tags: dict[str, str] | None = None) -> str:
        return self.instance.create_run_for_job(work, status=status, tags=tags).run_id

    def executed_by_a_killed_process(self, run_id: str) -> None:
        """What is left of a worker that lost its power while it executed the run."""
        script = (
            "import os, signal, sys; from pathlib import Path\n"
            "from cs_pipeline.warehouse.connection import Warehouse\n"
            "from cs_pipeline.warehouse.living import doing\n"
            "with doing(Warehouse(sys.argv[1]), sys.argv[2], Path('.')): os.kill(os.getpid(), signal.SIGKILL)"
        )
        subprocess.run([sys.executable, "-c", script, self.warehouse.url, task_of(run_id)], check=False)

    def swept(self) -> set[str]:
        return {run.run_id for run in fail_abandoned_runs(self.instance, self.warehouse)}

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        run = self.instance.get_run_by_id(run_id)
        assert run
        return run.status


@pytest.fixture
def runs(warehouse: Warehouse) -> Iterator[Runs]:
    retries = yaml.safe_load((ROOT / "dagster.yaml").read_text())["run_retries"]
    with dg.DagsterInstance.ephemeral(settings={"run_retries": retries}) as instance:
        yield Runs(warehouse, instance)


def test_a_run_whose_process_was_killed_is_failed_and_one_that_lives_goes_on(runs: Runs) -> None:
    killed, living = runs.new(STARTED, GONE), runs.new(STARTED, GONE)
    runs.executed_by_a_killed_process(killed)
    with doing(runs.warehouse, task_of(living), Path()):
        assert runs.swept() == {killed}, "its code server may be gone: who executes it says so itself"
    assert runs.status(killed) == dg.DagsterRunStatus.FAILURE
    assert runs.status(living) == STARTED


def test_the_daemon_runs_a_killed_evaluation_or_delivery_again_and_no_job_that_did_not_ask_for_it(runs: Runs) -> None:
    jobs = (evaluate_alerts, deliver_due_actions, scorecards_job)
    evaluation, delivery, scorecards = (runs.new(STARTED, {**GONE, **(job.tags or {})}) for job in jobs)
    for killed in (evaluation, delivery, scorecards):
        runs.executed_by_a_killed_process(killed)
    assert runs.swept() == {evaluation, delivery, scorecards}
    failed = runs.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    assert {run.run_id for run in filter_runs_to_should_retry(failed, runs.instance)} == {evaluation, delivery}


def test_a_run_that_was_about_to_start_when_all_was_killed_is_failed(runs: Runs) -> None:
    launched, asked_for = runs.new(STARTING, GONE), runs.new(STARTING)
    assert runs.swept() == {launched, asked_for}


def test_a_run_that_was_being_canceled_when_all_was_killed_is_canceled(runs: Runs) -> None:
    canceling = runs.new(CANCELING)
    runs.executed_by_a_killed_process(canceling)
    assert runs.swept() == {canceling}
    assert runs.status(canceling) == dg.DagsterRunStatus.CANCELED


def test_runs_that_wait_or_have_ended_or_of_which_nobody_knows_are_left_alone(runs: Runs) -> None:
    for status in (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.SUCCESS, STARTED):
        runs.new(status)
    assert runs.swept() == set()


def test_run_monitoring_is_told_of_a_killed_process(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", runs.warehouse.url)
    launcher = PipelineRunLauncher()
    assert launcher.supports_check_run_worker_health
    killed, living = runs.new(STARTED, GONE), runs.new(STARTED, GONE)
    runs.executed_by_a_killed_process(killed)

    def said(run_id: str) -> tuple[WorkerStatus, str | None]:
        run = runs.instance.get_run_by_id(run_id)
        assert run
        result = launcher.check_run_worker_health(run)
        return result.status, result.msg

    status, words = said(killed)
    assert status == WorkerStatus.NOT_FOUND
    assert words
    assert "is gone" in words
    assert said(living) == (WorkerStatus.NOT_FOUND, "its code server is gone"), "it did not come as far as its process"
    with doing(runs.warehouse, task_of(living), Path()):
        assert said(living) == (WorkerStatus.RUNNING, None)


def test_every_job_is_bounded_and_every_run_names_its_process(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", warehouse.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(tmp_path))

    definitions = build_defs(Settings())
    for job in definitions.get_repository_def().get_all_jobs():
        assert job.executor_def is owned_executor, job.name
        if not job.name.startswith("__"):
            assert int(job.tags["dagster/max_runtime"]) > 0, job.name
