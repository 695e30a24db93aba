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

from cs_pipeline.plays.enrolment.manual import start
from cs_pipeline.plays.playbooks.schema import load_playbooks
from cs_pipeline.plays.triggers.manual import Ask
from tests.builders.sample_history import COMPANY, LAST_WEEK, History
from tests.conftest import ROOT

pytestmark = pytest.mark.slow(seconds=70)

PATIENCE = timedelta(minutes=6)
"""For the whole chain on a busy machine; how fast it was is measured, not asserted, by the benchmark."""


@contextmanager
def daemon(history: History, weekly_schedule: str) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon as `cs-pipeline up` starts it, with a weekly schedule; stopped at the end."""
    dagster_home = history.home / "dagster"
    dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "dagster.yaml", dagster_home)
    log = history.home / "daemon.log"
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "cs_pipeline.cli.daemon", "-w", str(ROOT / "workspace.yaml")],
            cwd=ROOT,
            env=environment_of(history) | {"CS_PIPELINE_WEEKLY_SCHEDULE": weekly_schedule},
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # the code server that it started waits for something


def environment_of(history: History) -> dict[str, str]:
    """What the processes of the pipeline are given."""
    return os.environ | {
        "CS_PIPELINE_DATABASE_URL": history.warehouse.url,
        "CS_PIPELINE_HOME": str(history.home),
        "CS_PIPELINE_NOW": (datetime.combine(COMPANY.ends_on, datetime.min.time()) + timedelta(hours=20)).isoformat(),
        "CS_PIPELINE_FIRST_WEEK": COMPANY.first_week.isoformat(),
        "DAGSTER_HOME": str(history.home / "dagster"),
    }


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
    with daemon(history, "* * * * *"):
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
    scored = "dagster_event_type = 'ASSET_MATERIALIZATION' and asset_key = '[\"cs\", \"health_scores\"]'"
    assert history.count("public.event_logs", f"{scored} and partition = '{LAST_WEEK}'") == 1, "however often it ticks"


DELIVERY = """
import dagster as dg
from cs_pipeline.cli.runtime import open_runtime
from cs_pipeline.settings import load_settings

with open_runtime(load_settings()) as runtime:
    runtime.launcher.run("deliver_due_actions", tags={"cs_pipeline/serial": "deliver_due_actions"})
"""


def test_after_a_power_cut_delivery_goes_on_by_itself(history: History) -> None:
    """The run that was under way has nobody left who could end it, and the place in the queue that is needed."""
    now = history.settings.now
    assert now
    accounts = [str(account) for (account,) in history.rows("select account_id from marts.dim_accounts limit 3")]
    save_offer = load_playbooks(None)["save_offer"]
    start(history.warehouse, save_offer, accounts, Ask("ada", "they asked", "now"), history.settings, now)
    due = history.count("cs.actions", f"status = 'planned' and due_at <= '{now}'")
    assert due
    with history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("lock table marts.fct_account_weeks in access exclusive mode")
        worker = subprocess.Popen([sys.executable, "-c", DELIVERY], env=environment_of(history), cwd=ROOT)
        log = history.home / "daemon.log"
        wait_for("a delivery under way", history, "exists (select from pg_locks where not granted)", log)
        worker.kill()
        worker.wait()
    assert history.rows("select status from public.runs where pipeline_name = 'deliver_due_actions'") == [("STARTED",)]
    with daemon(history, "0 6 * * 1"):
        wait_for("the end of the run that was killed", history, of_deliveries("FAILURE"), log)
        wait_for("another delivery", history, of_deliveries("SUCCESS"), log)
    assert history.count("cs.actions", f"status = 'planned' and due_at <= '{now}'") == 0


def of_deliveries(status: str) -> str:
    return f"exists (select from public.runs where pipeline_name = 'deliver_due_actions' and status = '{status}')"


ALL_DECIDED = """
    not exists (
        select from cs.triggers
        where kind = 'score_change' and not exists (
            select from cs.enrolments where enrolments.trigger_id = triggers.trigger_id
        )
    )
"""
