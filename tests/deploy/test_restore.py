"""The commands of docs/deploy.md bring an installation back, and nothing that it does then happens a second time."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.orchestration.purge_runs import purge_runs
from cs_pipeline.orchestration.sensors.due_actions import due_actions_sensor
from cs_pipeline.orchestration.sensors.playbooks import playbooks_sensor
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.enrolment.manual import start
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.triggers.manual import Ask
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import binaries
from tests.builders.company import MONDAY, Company
from tests.builders.databases import Databases
from tests.builders.delivering import ToldChannel, all_by, deliver
from tests.builders.fixtures import clock, company, settings
from tests.builders.sample_history import History
from tests.conftest import ROOT, TEST_SERVER_URL

__all__ = ["clock", "company", "settings"]

BLOCKS = dict(re.findall(r"^```sh\n# (back up|restore):(.*?)^```", (ROOT / "docs/deploy.md").read_text(), re.M | re.S))
TABLES = """
select format('%I.%I', nspname, relname) from pg_class inner join pg_namespace as spaces on relnamespace = spaces.oid
where relkind in ('r', 'p') and nspname in ('cs', 'raw', 'snapshots', 'marts', 'public') order by 1
"""


def run_block(which: str, warehouse: Warehouse, home: Path, backup: Path, present: str) -> str:
    """Run the commands of the page as a person would, on that database and home."""
    ours, installed, embedded = Path(sys.executable).parent, os.environ["PATH"], binaries()
    # As the page says: pg_restore of the server's version, which for one of one's own is the one installed beside it.
    programs = [ours, installed, embedded] if TEST_SERVER_URL in os.environ else [ours, embedded, installed]
    environment = {
        "PATH": os.pathsep.join(map(str, programs)),
        "PYTHONPATH": str(ROOT),
        "BACKUP": str(backup),
        "CS_PIPELINE_DATABASE_URL": warehouse.url,
        "CS_PIPELINE_HOME": str(home),
        "CS_PIPELINE_NOW": present,
    }
    script = "set -euo pipefail\n#" + BLOCKS[which]
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def contents(warehouse: Warehouse) -> dict[str, tuple[int, str]]:
    """Rows of each table that cannot be made again, and what is in them."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(TABLES)
        found = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f"select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text from {table} as t")
            found[table] = cursor.fetchone() or (0, "")
        return found


@pytest.mark.slow(seconds=25)
def test_a_restore_from_the_page_brings_everything_back_and_sends_nothing_twice(
    history: History, databases: Databases, tmp_path: Path
) -> None:
    present = history.settings.now
    assert present is not None
    accounts = [str(account) for (account,) in history.rows("select account_id from marts.dim_accounts limit 4")]
    save_offer = load_playbooks(None)["save_offer"]
    start(history.warehouse, save_offer, accounts, Ask("ada", "they asked", "now"), history.settings, present)
    (history.home / "captured").mkdir(parents=True, exist_ok=True)
    (history.home / "captured" / "page.html").write_text("a captured message")
    backup = tmp_path / "backup"
    backup.mkdir()
    run_block("back up", history.warehouse, history.home, backup, present.isoformat())
    kept = contents(history.warehouse)
    assert kept["cs.health_scores"][0] > 1_000
    assert kept["cs.enrolments"][0] == len(accounts)
    assert kept["public.event_logs"][0] > 0
    sent = ToldChannel()
    deliver(history.warehouse, history.settings, Clock(present), all_by(sent))
    assert sent.delivered, "what goes out after the backup"

    restored, home = databases.create(), tmp_path / "restored"
    said = run_block("restore", restored, home, backup, present.isoformat())
    assert re.search(r"[1-9]\d* actions are uncertain now", said)
    after = contents(restored)
    assert {name for name in kept if kept[name] != after[name]} <= {"cs.actions", "cs.kill_switches"}
    assert after["cs.actions"][0] == kept["cs.actions"][0]
    assert (home / "captured" / "page.html").read_text() == "a captured message"
    with restored.session() as session, session.cursor() as cursor:
        cursor.execute("delete from cs.kill_switches")  # `play resume everything`
    again = ToldChannel()
    for days in (0, 1, 7):
        deliver(restored, history.settings, Clock(present + timedelta(days=days)), all_by(again))
    assert set(sent.delivered) & set(again.delivered) == set()
    databases.drop(restored)


@pytest.fixture
def instance(company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster's log in the warehouse of the company."""
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as made:
        yield made


@pytest.mark.slow(seconds=6)
def test_sensors_whose_run_keys_are_forgotten_launch_nothing_a_second_time(
    company: Company, settings: Settings, instance: dg.DagsterInstance
) -> None:
    for account in company.accounts(3):
        company.fall(account)
    now, playbooks = MONDAY, load_playbooks(None)
    resources = {"warehouse": company.warehouse, "settings": settings, "clock": Clock(now)}

    def ticks(cursor: str | None = None) -> tuple[list[dg.RunRequest], str | None]:
        offered = playbooks_sensor(dg.build_sensor_context(instance, cursor, resources=resources))
        due = due_actions_sensor(dg.build_sensor_context(instance, resources=resources))
        assert isinstance(offered, dg.SensorResult)
        return [*(offered.run_requests or []), *(due if isinstance(due, list) else [])], offered.cursor

    requests, cursor = ticks()
    assert requests, "there is something to decide"
    for request in requests:
        for batch in request.run_config["ops"]["enrol_accounts"]["config"]["batches"]:
            enrol(company.warehouse, playbooks[batch["playbook"]], batch["trigger_ids"], settings, now)
    enrolled = company.run("select count(*) from cs.enrolments where status = 'active'")
    assert enrolled != [(0,)]
    first = "(select min(action_id) from cs.actions)"
    company.run(f"update cs.actions set status = 'planned', reason = null, due_at = %s where action_id = {first}", now)
    requests, _ = ticks(cursor)
    assert [request.run_key for request in requests if "due:" in (request.run_key or "")], "something is due"
    sent = ToldChannel()
    deliver(company.warehouse, settings, Clock(now), all_by(sent))

    for request in requests:
        tags = {"dagster/run_key": request.run_key or ""}
        instance.create_run_for_job(ended, status=dg.DagsterRunStatus.SUCCESS, tags=tags)
    assert purge_runs(company.warehouse, MONDAY + timedelta(days=100_000)).runs == len(requests)
    assert ticks(cursor)[0] == []
    assert ticks(None)[0] == [], "not even where what the sensor remembers is gone too"
    assert company.run("select count(*) from cs.enrolments where status = 'active'") == enrolled


@dg.job
def ended() -> None:
    """Stands for the runs."""
