"""End to end: Dagster's own daemon on a real database, from the schedule's tick to messages in their readers' hands."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.sample_history import COMPANY, LAST_WEEK, History

pytestmark = pytest.mark.xdist_group("live")

PATIENCE = timedelta(minutes=6)
"""For the whole chain on a busy machine; how fast it was is measured, not asserted, by the benchmark."""


@contextmanager
def daemon(history: History) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon as `cs-pipeline up` starts it, whose weekly schedule ticks every minute; stopped at the end."""
    dagster_home = history.home / "dagster"
    dagster_home.mkdir(parents=True)
    shutil.copy(ROOT / "dagster.yaml", dagster_home)
    environment = os.environ | {
        "CS_PIPELINE_DATABASE_URL": history.warehouse.url,
        "CS_PIPELINE_HOME": str(history.home),
        "CS_PIPELINE_NOW": (datetime.combine(COMPANY.ends_on, datetime.min.time()) + timedelta(hours=20)).isoformat(),
        "CS_PIPELINE_FIRST_WEEK": COMPANY.first_week.isoformat(),
        "CS_PIPELINE_WEEKLY_SCHEDULE": "* * * * *",
        "DAGSTER_HOME": str(dagster_home),
    }
    log = history.home / "daemon.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster._daemon", "run", "-w", str(ROOT / "workspace.yaml")],
            cwd=ROOT,
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # the code server that it started waits for something


def wait_for(what: str, history: History, condition: str, log: Path) -> None:
    """Wait until `condition`, a SQL expression, holds; fail with the daemon's last words when it never does."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while time.monotonic() < deadline:
        if history.rows(f"select {condition}") == [(True,)]:
            return
        time.sleep(1)
    pytest.fail(f"{what} did not happen; the daemon said:\n{log.read_text(errors='replace')[-4000:]}")


@pytest.mark.requirement("S5-10", "S5-25", "S2-48")
def test_a_week_ends_and_the_daemon_scores_it_and_delivers_the_plays(history: History) -> None:
    log = history.home / "daemon.log"
    with daemon(history):
        wait_for(
            "the score of the week",
            history,
            f"exists (select from cs.health_scores where week = '{LAST_WEEK}')",
            log,
        )
        wait_for("a trigger", history, "exists (select from cs.triggers where kind = 'score_change')", log)
        wait_for("a captured message", history, "exists (select from cs.captured_messages)", log)
        wait_for("the decision on every trigger of the score", history, ALL_DECIDED, log)
        wait_for("a play that goes on", history, "exists (select from cs.enrolments where status = 'active')", log)
    assert history.count("(select action_id from cs.action_attempts group by 1 having count(*) > 1) as twice") == 0
    messages = history.count("cs.captured_messages")
    pages = list((history.home / "captured").rglob("*.html"))
    assert len(pages) > messages, "a page a message, and the index"
    assert history.count("public.runs", "pipeline_name = 'weekly_health' and status = 'SUCCESS'") == 2


ALL_DECIDED = """
    not exists (
        select from cs.triggers
        where kind = 'score_change' and not exists (
            select from cs.enrolments where enrolments.trigger_id = triggers.trigger_id
        )
    )
"""
