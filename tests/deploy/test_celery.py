"""Runs on Celery's workers, over a real Redis: one worker is killed in the middle, and nothing is sent twice."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from logging import getLogger
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.launcher import LaunchRunContext
from dagster._daemon.auto_run_reexecution.auto_run_reexecution import filter_runs_to_should_retry
from dagster._daemon.monitoring.run_monitoring import monitor_started_run

from cs_pipeline.demo.story import present_of
from cs_pipeline.orchestration.keys import (
    DELIVERY_JOB,
    HEALTH_SCORES,
    RANGE_END_TAG,
    RANGE_START_TAG,
    SCORE_CHANGES,
    WEEKLY_JOB,
)
from cs_pipeline.plays.enrolment.manual import start
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.triggers.manual import Ask
from cs_pipeline.warehouse.embedded import free_port
from tests.builders.sample_history import COMPANY, SCORED_UNTIL, History
from tests.conftest import ROOT
from tests.deploy.compose import listens, services
from tests.waiting import wait_until

pytestmark = [pytest.mark.xdist_group("celery"), pytest.mark.slow(seconds=60)]

PRESENT = present_of(COMPANY.ends_on)
PATIENCE = timedelta(minutes=4)
RECORD = (
    "select * from cs.health_scores order by week, account_id, model, model_version",
    "select * from cs.parent_scores order by week, account_id, model, model_version",
    "select * from cs.score_changes order by week, account_id, model, model_version",
)
JOBS = ReconstructableRepository.for_module("cs_pipeline.definitions", "defs")


@dataclass
class Workers:
    """A pipeline whose runs go to Celery's workers."""

    history: History
    instance: dg.DagsterInstance

    @contextmanager
    def worker(self, service: str, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """A worker as docker-compose.yml has it, in a process group of its own; what is launched waits for it."""
        _, *arguments = services()[service]["command"]
        with (self.history.home / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments, "--hostname", f"{name}@%h"],
                cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            yield process
        finally:
            kill(process)

    def said(self) -> str:
        """The last words of each worker."""
        return "\n".join(log.read_text(errors="replace")[-6_000:] for log in self.history.home.glob("*.log"))

    def launch(self, job: str, **what: Any) -> str:
        """As the daemon does once a run's turn has come."""
        known = JOBS.get_reconstructable_job(job)
        definition, origin = known.get_definition(), known.get_python_origin()
        run = self.instance.create_run_for_job(
            definition, job_code_origin=origin, tags={**definition.tags, **what.pop("tags", {})}, **what
        )
        self.instance.launch_run(run.run_id, workspace=None)  # pyright: ignore[reportArgumentType]
        return run.run_id

    def run(self, run_id: str) -> dg.DagsterRun:
        run = self.instance.get_run_by_id(run_id)
        assert run
        return run

    def succeeded(self, run_id: str) -> bool:
        status = self.run(run_id).status
        assert status != dg.DagsterRunStatus.FAILURE, self.said()
        return status == dg.DagsterRunStatus.SUCCESS

    def is_retried(self, run_id: str) -> bool:
        """By the daemon, which asks the launcher how the run is, fails it, and looks at its tags."""
        record = self.instance.get_run_record_by_id(run_id)
        assert record
        monitor_started_run(self.instance, None, record, getLogger("tests"))  # pyright: ignore[reportArgumentType]
        failed = self.run(run_id)
        assert failed.status == dg.DagsterRunStatus.FAILURE
        return [run.run_id for run in filter_runs_to_should_retry([failed], self.instance)] == [run_id]

    def is_left_alone(self, run_id: str) -> bool:
        """A worker was given the run once more, and saw that it had ended."""
        return any("after the run had already finished" in entry.message for entry in self.instance.all_logs(run_id))

    def wait_until(self, what: str, is_so: Callable[[], bool]) -> None:
        wait_until(what, PATIENCE, is_so, self.said)


def kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


@pytest.fixture
def workers(history: History, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Workers]:
    """With a Redis of its own, on this machine alone."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("there is no redis-server here; Debian has it: apt-get install redis-server")
    port = free_port()
    redis = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until("Redis", PATIENCE, lambda: listens(port))
        monkeypatch.setenv("CS_PIPELINE_CELERY_BROKER", f"redis://127.0.0.1:{port}/0")
        monkeypatch.setenv("CS_PIPELINE_NOW", PRESENT.isoformat())
        monkeypatch.setenv("CS_PIPELINE_FIRST_WEEK", f"{COMPANY.first_week}")
        monkeypatch.setenv("CS_PIPELINE_SCORE_SLICES", "2")
        monkeypatch.setenv("CS_PIPELINE_SLICES_ON", "celery")
        with history.runtime() as runtime:
            yield Workers(history, runtime.launcher.instance)
    finally:
        redis.kill()
        redis.wait()


def test_a_worker_killed_in_the_middle_sends_nothing_twice_and_slices_score_as_one_process(workers: Workers) -> None:
    history = workers.history
    before = [history.rows(sql) for sql in RECORD]
    history.rows(f"delete from cs.health_scores where week = '{SCORED_UNTIL}'")
    history.rows(f"delete from cs.score_changes where week = '{SCORED_UNTIL}'")
    mail_is_due(history)
    with workers.worker("worker", "first") as first, workers.worker("slice-worker", "slices"):
        with history.warehouse.session() as session, session.cursor() as cursor:
            cursor.execute("lock table cs.captured_messages in exclusive mode")  # where messages go
            killed = workers.launch(DELIVERY_JOB)
            workers.wait_until("a claim", lambda: bool(history.rows(CLAIMED)))
            kill(first)
        with workers.worker("worker", "second"):
            week = {RANGE_START_TAG: f"{SCORED_UNTIL}", RANGE_END_TAG: f"{SCORED_UNTIL}"}
            chosen = frozenset({HEALTH_SCORES, SCORE_CHANGES})
            weekly = workers.launch(WEEKLY_JOB, tags=week, asset_selection=chosen)
            assert workers.is_retried(killed), "as the daemon finds it"
            again = workers.launch(DELIVERY_JOB)
            workers.wait_until("deliveries and scores", lambda: workers.succeeded(again) and workers.succeeded(weekly))
            lost = history.rows(CLAIMED)
            assert lost, "whether these were sent nobody knows: they become uncertain, and are looked up"
            # The message that the killed worker never acknowledged comes again.
            workers.instance.run_launcher.launch_run(LaunchRunContext(workers.run(killed), None))
            workers.wait_until("a look at the run that has ended", lambda: workers.is_left_alone(killed))
    assert history.rows("select 1 from cs.action_attempts group by action_id having count(*) > 1") == []
    captured = history.rows("select action_key from cs.captured_messages")
    assert captured
    assert len(captured) == len(set(captured))
    assert set(captured).isdisjoint(lost)
    assert history.rows(f"{DUE} and status = 'planned'") == []
    assert [history.rows(sql) for sql in RECORD] == before


def mail_is_due(history: History) -> None:
    accounts = [str(account) for (account,) in history.rows("select account_id from marts.dim_accounts limit 25")]
    save_offer = load_playbooks(None)["save_offer"]
    start(history.warehouse, save_offer, accounts, Ask("ada", "they asked", "now"), history.settings, PRESENT)
    assert history.rows(f"{DUE} and status = 'planned'")


DUE = f"select action_key from cs.actions where playbook = 'save_offer' and due_at <= '{PRESENT}'"
CLAIMED = f"{DUE} and status = 'claimed'"
