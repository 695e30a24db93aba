"""The watchdog: what ended by itself is started again, and what stands still is told, without the daemon."""

import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
import time_machine
from pydantic import SecretStr

from cs_pipeline.cli import watchdog
from cs_pipeline.cli.doctor.examine import examine
from cs_pipeline.cli.processes import Processes, Service
from cs_pipeline.cli.watchdog import Keeper, look, look_at_alerts, watch
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.living import doing
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.databases import nobody_let_in

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
    for minutes in (5, 6, 5 + 6 * 60 + 1):
        now = MONDAY + timedelta(minutes=minutes)
        with time_machine.travel(now, tick=True), no_patience():
            watch(settings, due.warehouse)
    assert told(due) == [("The daemon is not at work", "#cs-pipeline")] * 2


def no_patience() -> AbstractContextManager[object]:
    """The server of the tests is young, and so is everything that was last seen on it."""
    return patch.object(watchdog, "NEW", timedelta(0))


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


def test_rules_that_nobody_asks_are_told_with_the_job_that_should(company: Company, settings: Settings) -> None:
    assert look_at_alerts(company.warehouse, settings, MONDAY) is None, "none was ever asked"
    company.insert(
        "cs.alert_evaluations", rule="invoice_overdue", as_of=MONDAY.replace(hour=6), version="v", health="ok", clock=0,
        evaluated_at=MONDAY,
    )  # fmt: skip
    assert look_at_alerts(company.warehouse, settings, MONDAY + timedelta(hours=20)) is None
    found = look_at_alerts(company.warehouse, settings, MONDAY + timedelta(hours=22))
    assert found
    assert found.subject == "Alert rules are not evaluated"
    assert "Due since 2025-03-11 06:00 UTC and not asked: invoice_overdue" in found.words


def test_nothing_is_started_again_while_the_database_is_away(
    warehouse: Warehouse, settings: Settings, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "services_to_keep", lambda _: [SLEEPER])
    processes, keeper = Processes(settings.home), Keeper(settings, warehouse)
    processes.start(SLEEPER, dict(os.environ))
    killed = processes.pid("daemon")
    assert killed
    os.kill(killed, signal.SIGKILL)
    os.waitid(os.P_PID, killed, os.WEXITED | os.WNOWAIT)
    with nobody_let_in(warehouse, server):
        keeper.keep()
        assert processes.pid("daemon") is None
    keeper.keep()
    assert processes.pid("daemon"), "at once, without a pause for the attempts that nobody made"
    processes.stop("daemon")
