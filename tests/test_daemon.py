"""End to end: Dagster's own daemon on a real database, from the schedule's tick to messages in their readers' hands."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from cs_pipeline.alerts.evaluate import evaluate_due
from cs_pipeline.alerts.tick import tick
from cs_pipeline.demo.story import present_of
from cs_pipeline.plays.enrolment.manual import start
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.triggers.manual import Ask
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.databases import OF_THIS_DATABASE
from tests.builders.sample_history import COMPANY, LAST_WEEK, History
from tests.conftest import ROOT, CopyDatabase
from tests.waiting import wait_until

pytestmark = [pytest.mark.xdist_group("daemon"), pytest.mark.slow(seconds=45)]

PRESENT = present_of(COMPANY.ends_on)
PATIENCE = timedelta(minutes=6)
"""For the whole chain on a busy machine; how fast it was is measured, not asserted, by the benchmark."""


@pytest.fixture(scope="module")
def lived(
    history_template: Warehouse, copy_once: CopyDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[History]:
    """A history in which a daemon is at work: started after a worker was killed, when a week has ended."""
    history = History(copy_once(history_template), tmp_path_factory.mktemp("daemon"))
    kill_a_delivery(history)
    kill_an_evaluation(history)
    with daemon(history, "* * * * *"):
        yield history


@contextmanager
def daemon(history: History, weekly_schedule: str) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon as `cs-pipeline up` starts it, with a weekly schedule; stopped at the end."""
    dagster_home = history.home / "dagster"
    dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "dagster.yaml", dagster_home)
    with log_of(history).open("ab") as stream:
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
        "CS_PIPELINE_NOW": PRESENT.isoformat(),
        "CS_PIPELINE_FIRST_WEEK": COMPANY.first_week.isoformat(),
        "DAGSTER_HOME": str(history.home / "dagster"),
    }


def wait_for(what: str, history: History, condition: str) -> None:
    """Wait until `condition`, a SQL expression, holds; fail with the daemon's last words when it never does."""
    wait_until(
        what,
        PATIENCE,
        lambda: history.rows(f"select {condition}") == [(True,)],
        lambda: f"The daemon said:\n{log_of(history).read_text(errors='replace')[-4000:]}",
    )


def log_of(history: History) -> Path:
    return history.home / "daemon.log"


@pytest.mark.requirement("S5-10", "S5-25", "S2-48")
def test_a_week_ends_and_the_daemon_scores_it_and_delivers_the_plays(lived: History) -> None:
    wait_for("the score of the week", lived, f"exists (select 1 from cs.health_scores where week = '{LAST_WEEK}')")
    wait_for("a trigger", lived, "exists (select 1 from cs.triggers where kind = 'score_change')")
    wait_for("a captured message", lived, f"exists ({MESSAGES_OF_THE_WEEK})")
    wait_for("the decision on every trigger of the score", lived, ALL_DECIDED)
    wait_for("a play that goes on", lived, f"exists ({PLAYS_OF_THE_WEEK})")
    assert lived.count("(select action_id from cs.action_attempts group by 1 having count(*) > 1) as twice") == 0
    messages = lived.count("cs.captured_messages")
    pages = list((lived.home / "captured").rglob("*.html"))
    assert len(pages) > messages, "a page a message, and the index"
    scored = "dagster_event_type = 'ASSET_MATERIALIZATION' and asset_key = '[\"cs\", \"health_scores\"]'"
    assert lived.count("public.event_logs", f"{scored} and partition = '{LAST_WEEK}'") == 1, "however often it ticks"


def test_after_a_power_cut_delivery_goes_on_by_itself(lived: History) -> None:
    """The run that was under way had nobody left who could end it, and the place in the queue that is needed."""
    wait_for("the end of the run that was killed", lived, of_runs("deliver_due_actions", "FAILURE"))
    wait_for("another delivery", lived, of_runs("deliver_due_actions", "SUCCESS"))
    wait_for("the end of what was due", lived, f"not exists ({SAVE_OFFERS} and status = 'planned')")
    assert lived.rows(SAVE_OFFERS)


@pytest.mark.requirement("S2-36", "S2-48")
def test_who_is_killed_before_telling_of_alerts_has_told_nothing_and_the_next_tick_tells_once(lived: History) -> None:
    wait_for("the end of the evaluation that was killed", lived, of_runs("evaluate_alerts", "FAILURE"))
    for _ in range(2):
        tick(lived.warehouse, lived.settings, PRESENT)
    alerts = f"select alert_id from cs.alerts where {CANCELLED} and state = 'firing' and told_at is not null"
    wait_for("the alerts", lived, f"(select count(*) from ({alerts}) as told) = {CANCELLATIONS}")
    told = f"from cs.alert_notifications where kind = 'new' and alert_id in ({alerts})"
    assert lived.rows(f"select count(*) {told} group by alert_id") == [(1,)] * CANCELLATIONS
    started = f"from cs.triggers where kind = 'alert' and subject_id ~ '{CANCELLED_BY}'"
    assert lived.rows(f"select count(*) {started} group by subject_id") == [(1,)] * CANCELLATIONS


JOB = """
import sys
from cs_pipeline.cli.runtime import open_runtime
from cs_pipeline.settings import load_settings

with open_runtime(load_settings()) as runtime:
    runtime.launcher.run(sys.argv[1], tags={"cs_pipeline/serial": sys.argv[1]})
"""


def kill_a_delivery(history: History) -> None:
    """In the middle of a delivery of actions that are due."""
    accounts = [str(account) for (account,) in history.rows("select account_id from marts.dim_accounts limit 3")]
    save_offer = load_playbooks(None)["save_offer"]
    start(history.warehouse, save_offer, accounts, Ask("ada", "they asked", "now"), history.settings, PRESENT)
    assert history.rows(f"{SAVE_OFFERS} and status = 'planned'")
    kill_a_worker(history, "deliver_due_actions", at="marts.fct_account_weeks")


def kill_an_evaluation(history: History) -> None:
    """Between finding that customers cancelled and telling of it."""
    evaluate_due(history.warehouse, history.settings, PRESENT - timedelta(days=1))
    history.rows(
        f"""
        insert into raw.cancellation_requests (request_id, account_id, requested_at, _load_id)
        select '{CANCELLED_BY}' || account_id, account_id, '{PRESENT}'::timestamptz - interval '2 hours', 0
        from marts.dim_accounts
        order by account_id desc
        limit {CANCELLATIONS}
        """
    )
    kill_a_worker(history, "evaluate_alerts", at="cs.alert_notifications")
    assert history.rows(f"select count(*) from cs.alerts where {CANCELLED}") == [(0,)], "not even what it had found"


def kill_a_worker(history: History, job: str, at: str) -> None:
    """While it waits for a table."""
    with history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(f"lock table {at} in access exclusive mode")
        worker = subprocess.Popen([sys.executable, "-c", JOB, job], env=environment_of(history), cwd=ROOT)
        wait_for(f"{job} under way", history, f"exists (select from pg_locks where not granted and {OF_THIS_DATABASE})")
        worker.kill()
        worker.wait()
    assert history.rows(f"select status from public.runs where pipeline_name = '{job}'") == [("STARTED",)]


def of_runs(job: str, status: str) -> str:
    return f"exists (select from public.runs where pipeline_name = '{job}' and status = '{status}')"


CANCELLATIONS = 3
CANCELLED_BY = "killed_"
CANCELLED = f"rule = 'cancelled' and entity ~ '{CANCELLED_BY}'"

SAVE_OFFERS = f"select action_id from cs.actions where playbook = 'save_offer' and due_at <= '{PRESENT}'"
PLAYS_OF_THE_WEEK = f"""
    select from cs.enrolments
    inner join cs.triggers using (trigger_id)
    where triggers.week = '{LAST_WEEK}' and enrolments.status = 'active'
"""
MESSAGES_OF_THE_WEEK = f"""
    select from cs.captured_messages
    inner join cs.actions using (action_key)
    inner join cs.enrolments using (enrolment_id)
    inner join cs.triggers using (trigger_id)
    where triggers.week = '{LAST_WEEK}'
"""
ALL_DECIDED = """
    not exists (
        select from cs.triggers
        where kind = 'score_change' and not exists (
            select from cs.enrolments where enrolments.trigger_id = triggers.trigger_id
        )
    )
"""
