"""The watchdog: what ended by itself is started again, and what stands still is told, without the daemon."""

import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from cs_pipeline.cli import watchdog
from cs_pipeline.cli.examination import examine
from cs_pipeline.cli.processes import Processes, Service
from cs_pipeline.cli.watchdog import Keeper, look, tell
from cs_pipeline.plays.enrolment import enrol
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.living import doing
from tests.plays.company import MONDAY, Company, save_play

SLEEPER = Service("daemon", ("-c", "import time; time.sleep(60)"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def due(warehouse: Warehouse, settings: Settings) -> Company:
    """Two mails that are due since Monday noon."""
    company = Company(warehouse)
    enrol(warehouse, save_play(), [company.fall(each) for each in company.accounts(2)], settings, MONDAY)
    return company


def told(due: Company) -> list[tuple]:
    return due.run("select subject, recipient from cs.captured_messages order by captured_at")


def test_a_daemon_that_was_killed_is_told_once_in_a_period(due: Company, settings: Settings) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from cs_pipeline.warehouse.connection import Warehouse\n"
        "from cs_pipeline.warehouse.living import doing\n"
        "with doing(Warehouse(sys.argv[1]), 'daemon', Path('.')): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, due.warehouse.url], check=False)
    assert look(due.warehouse, MONDAY) is None, "the keeper starts another"
    due.run("update cs.living_processes set seen_at = seen_at - interval '1 hour'")
    for minutes in (5, 6, 5 + 6 * 60 + 1):
        now = MONDAY + timedelta(minutes=minutes)
        found = seen_long_ago(due, now)
        assert tell(found, settings, due.warehouse, now)
    assert told(due) == [("The daemon is not at work", "#cs-pipeline")] * 2


def seen_long_ago(due: Company, now: datetime) -> watchdog.Standstill:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watchdog, "NEW", timedelta(0))  # the server of the tests is young
        found = look(due.warehouse, now)
    assert found
    assert found.cause == "daemon"
    assert "2 due actions (email) wait since" in found.words
    return found


def test_due_actions_that_a_living_daemon_leaves_are_told_and_doctor_shows_them(
    due: Company, settings: Settings
) -> None:
    with doing(due.warehouse, "daemon", Path()):
        assert look(due.warehouse, MONDAY + timedelta(minutes=3)) is None
        found = look(due.warehouse, MONDAY + timedelta(minutes=5))
        assert found
        assert found.cause == "channels email"
        due.run("update cs.actions set due_at = now() - interval '5 minutes', expires_at = now() + interval '1 hour'")
        asked = settings.model_copy(update={"database_url": SecretStr(due.warehouse.url)})
        (shown,) = [each for each in examine(asked) if each.subject == "due actions"]
    assert shown.state == "wrong"
    assert "6 due actions wait and nobody takes them" in shown.words


def test_nobody_is_taken_for_told_who_could_not_be(due: Company, settings: Settings) -> None:
    live = settings.model_copy(update={"delivery": "live"})
    now = MONDAY + timedelta(minutes=5)
    with doing(due.warehouse, "daemon", Path()):
        found = look(due.warehouse, now)
    assert found
    assert not tell(found, live, due.warehouse, now)
    assert tell(found, settings, due.warehouse, now)
    assert len(told(due)) == 1


def test_what_was_killed_is_started_again_and_what_was_stopped_is_not(
    warehouse: Warehouse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "services_to_keep", lambda _: [SLEEPER])
    processes, keeper = Processes(settings.home), Keeper(settings, warehouse)
    processes.start(SLEEPER, dict(os.environ))
    first = processes.pid("daemon")
    assert first
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    keeper.keep()
    second = processes.pid("daemon")
    assert second
    assert second != first
    os.kill(second, signal.SIGKILL)
    os.waitid(os.P_PID, second, os.WEXITED | os.WNOWAIT)
    keeper.keep()
    assert processes.pid("daemon") is None, "what ends again and again is started after a while"
    keeper.not_before.clear()
    processes.stop("daemon")
    keeper.keep()
    assert processes.pid("daemon") is None
