"""A database of the first version comes to the present one by the command, and keeps everything that was decided.

`demo_of_0_1_0.sql.xz` is what `pg_dump` wrote of the database that `cs-pipeline demo --accounts 24 --weeks 26` had made
before keys carried the account (migration 0045): without Dagster's tables, the rows of `marts.fct_kpis`, the settings
that only newer servers know, and the place where it was made.
"""

import lzma
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from cs_pipeline.cli.runtime import open_runtime
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.warehouse.embedded import binaries
from cs_pipeline.warehouse.layout import DISTRIBUTION_COLUMN, distributed_tables
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.migrate import version_of
from tests.builders.databases import Databases
from tests.builders.killed_migration import MIGRATE, kill_a_migration
from tests.command_line import run_command
from tests.conftest import CopyDatabase
from tests.waiting import wait_until

DUMP = Path(__file__).with_name("demo_of_0_1_0.sql.xz")
PRESENT = "2025-11-04T18:00:00Z"
LAST_WEEK = date(2025, 10, 27)
KEPT = (
    *("health_scores", "score_changes", "parent_scores", "scored_weeks", "score_overrides", "renewal_windows"),
    *("renewal_forecasts", "segment_members", "triggers", "enrolments", "actions", "action_attempts"),
    *("action_decisions", "captured_messages", "crm_tasks", "notices", "suppressions", "alerts", "alert_changes"),
)
SCORES = """
select week, account_id, model, model_version, score::text, band, is_active
from cs.health_scores where week = '2025-10-27' order by 1, 2, 3, 4
"""


def restore(warehouse: Warehouse) -> None:
    """Fill an empty database with the demo of the first version."""
    command = [binaries() / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", warehouse.url]
    subprocess.run(command, input=lzma.decompress(DUMP.read_bytes()), stdout=subprocess.DEVNULL, check=True)


@pytest.fixture
def of_before(databases: Databases, copy_database: CopyDatabase) -> Warehouse:
    """A database of the first version."""
    return copy_database(databases.made_once("demo of 0.1.0", restore))


@pytest.fixture
def command(of_before: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands work on that database, on the day on which its demo ended."""
    for name, value in environment(of_before, tmp_path).items():
        monkeypatch.setenv(name, value)


def environment(warehouse: Warehouse, home: Path) -> Mapping[str, str]:
    return {
        "CS_PIPELINE_DATABASE_URL": warehouse.url,
        "CS_PIPELINE_HOME": str(home),
        "CS_PIPELINE_NOW": PRESENT,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }


def rows(warehouse: Warehouse, sql: str) -> list[tuple]:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def columns_of_kept(warehouse: Warehouse) -> dict[str, str]:
    """The columns of each table of which nothing may be lost."""
    return {
        name: ", ".join(
            column
            for (column,) in rows(
                warehouse,
                f"select attname from pg_attribute where attrelid = 'cs.{name}'::regclass "
                "and attnum > 0 and not attisdropped order by attnum",
            )
        )
        for name in KEPT
    }


def contents(warehouse: Warehouse, columns: Mapping[str, str]) -> dict[str, tuple[int, str]]:
    """How many rows each table has, and a digest of what is in those columns."""
    return {
        name: rows(
            warehouse,
            "select count(*), coalesce(sum(hashtextextended(kept::text, 0)), 0)::text "
            f"from (select {listed} from cs.{name}) as kept",
        )[0]
        for name, listed in columns.items()
    }


def write_what_is_loaded(warehouse: Warehouse, folder: Path) -> None:
    """Every canonical table as the file that would bring it."""
    folder.mkdir()
    with warehouse.session() as session, session.cursor() as cursor:
        for table in read_contract().tables.values():
            cursor.execute("select to_regclass(%s) is not null", [table.relation])
            if cursor.fetchone() == (True,):
                with (folder / f"{table.name}.csv").open("w", encoding="utf-8") as file:
                    select = f"select {', '.join(table.column_names)} from {table.relation}"
                    cursor.copy_expert(f"copy ({select}) to stdout (format csv, header)", file)


@pytest.mark.slow(seconds=35)
@pytest.mark.usefixtures("command")
def test_a_database_of_the_first_version_keeps_all_that_was_scored_decided_and_sent(
    of_before: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = columns_of_kept(of_before)
    before, scores = contents(of_before, columns), rows(of_before, SCORES)
    assert all(before[name][0] > 10 for name in ("health_scores", "triggers", "enrolments", "actions"))
    code, said = run_command(monkeypatch, capsys, "warehouse", "migrate")
    assert code == 0, said
    assert "Our tables went from 0045 to" in said
    assert contents(of_before, columns) == before
    keyed = rows(
        of_before,
        "select conrelid::regclass::text from pg_constraint inner join pg_attribute on attrelid = conrelid "
        f"and attnum = any(conkey) where contype = 'p' and attname = '{DISTRIBUTION_COLUMN}'",
    )
    assert {name for (name,) in keyed} >= set(distributed_tables(read_contract()))

    write_what_is_loaded(of_before, tmp_path / "again")
    again = load_folder(of_before, tmp_path / "again")
    assert (again.rows_loaded, again.rows_rejected) == (0, 0)
    settings = Settings(
        database_url=of_before.url,  # pyright: ignore[reportArgumentType]
        home=tmp_path,
        now=PRESENT,  # pyright: ignore[reportArgumentType]
        first_week=LAST_WEEK - timedelta(weeks=25),
    )
    with open_runtime(settings) as runtime:
        runtime.launcher.run_weeks(LAST_WEEK, LAST_WEEK)
    assert rows(of_before, SCORES) == scores
    outbox = [name for name in KEPT if name in ("triggers", "enrolments", "actions", "action_attempts")]
    after = contents(of_before, columns)
    assert [after[name] for name in outbox] == [before[name] for name in outbox]


INDEXES = """
select indexrelid::regclass::text, indisvalid, pg_relation_filenode(indexrelid)
from pg_index where indexrelid::regclass::text like '%_key_by_account' order by 1
"""
BUILDING = """
select pid from pg_stat_activity
where
    datname = current_database() and query like 'create unique index concurrently% on raw.events %'
    and wait_event_type = 'Lock'
"""


@pytest.mark.slow(seconds=10)
def test_an_upgrade_that_is_killed_while_it_builds_an_index_keeps_those_that_are_whole_and_goes_on(
    of_before: Warehouse, tmp_path: Path
) -> None:
    ours = os.environ | environment(of_before, tmp_path)
    with of_before.session() as reading, reading.cursor() as cursor:
        cursor.execute("lock table raw.events in row exclusive mode")  # as who writes, for whom the index waits
        process = subprocess.Popen(MIGRATE, env=ours, stdout=subprocess.DEVNULL)
        wait_until("the index of the events", timedelta(minutes=1), lambda: bool(rows(of_before, BUILDING)))
        process.kill()
        process.wait()
        ((pid,),) = rows(of_before, BUILDING)
        rows(of_before, f"select pg_terminate_backend({pid}, 10000)")
    (*whole, _), broken = (
        rows(of_before, INDEXES),
        rows(of_before, INDEXES.replace("where", "where not indisvalid and")),
    )
    assert whole
    assert [name for name, *_ in broken] == ["raw.events_key_by_account"]
    assert not version_of(of_before).is_newest
    done = subprocess.run(MIGRATE, env=ours, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert version_of(of_before).is_newest
    kept = [number for _, is_whole, number in whole if is_whole]
    keys = rows(
        of_before,
        "select pg_relation_filenode(conindid) from pg_constraint where contype = 'p' and conname like '%_pkey'",
    )
    assert set(kept) <= {number for (number,) in keys}
    assert rows(of_before, INDEXES) == []


EVENTS = "select count(*), sum(hashtextextended(events::text, 0))::text from raw.events"
MONTHS = """
select relname, oid from pg_class
where relnamespace = 'raw'::regnamespace and relname ~ '^events_2' and relkind = 'r' order by 1
"""
WRITTEN_MEANWHILE = """
with load as (insert into cs.loads (source_table, origin) values ('events', 'of before') returning load_id)

insert into raw.events (event_id, account_id, occurred_at, event_name, _load_id)
select 'meanwhile', min(account_id), '2025-06-10', 'login', load_id from raw.accounts, load group by load_id;
delete from raw.events where event_id in (
    select event_id from raw.events where occurred_at >= '2025-07-01' and occurred_at < '2025-08-01' limit 3
)
"""


@pytest.mark.slow(seconds=10)
def test_an_upgrade_that_is_killed_in_a_month_of_events_keeps_whole_months_and_loses_nothing_written_meanwhile(
    of_before: Warehouse, tmp_path: Path
) -> None:
    ours = os.environ | environment(of_before, tmp_path)
    kill_a_migration(of_before, "raw.events_2025_08", ours)
    whole = dict(rows(of_before, MONTHS))
    assert {"events_2025_06", "events_2025_07"} <= set(whole)
    assert "events_2025_08" not in whole
    with of_before.session() as session, session.cursor() as cursor:
        cursor.execute(WRITTEN_MEANWHILE)
    before, read = rows(of_before, EVENTS), rows(of_before, "select count(*) from staging.stg_events")
    done = subprocess.run(MIGRATE, env=ours, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert version_of(of_before).is_newest
    assert rows(of_before, EVENTS) == before
    after = dict(rows(of_before, MONTHS))
    copied_again = {name for name, number in whole.items() if after[name] != number}
    assert copied_again == {"events_2025_06", "events_2025_07"}
    assert rows(of_before, "select count(*) from staging.stg_events") == read == [before[0][:1]]
    assert rows(of_before, "select relkind from pg_class where oid = 'raw.events'::regclass") == [("p",)]
    assert rows(of_before, "select relname from pg_class where relname ~ '^_events'") == []
