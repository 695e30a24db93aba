"""The `cs` schema is created once, whoever asks and however often."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.migrate import migrate, version_of
from cs_pipeline.warehouse.readiness import why_not_ready
from tests.builders.databases import Databases
from tests.conftest import ROOT
from tests.waiting import wait_until


def tables(warehouse: Warehouse) -> set[str]:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select table_name from information_schema.tables where table_schema = 'cs'")
        return {name for (name,) in cursor.fetchall()}


def test_migrating_twice_changes_nothing(warehouse: Warehouse) -> None:
    before = tables(warehouse)
    migrate(warehouse)
    assert {"health_scores", "triggers", "enrolments", "actions"} <= before == tables(warehouse)


def test_processes_that_start_together_do_not_collide(warehouse: Warehouse) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: migrate(warehouse), range(4)))
    assert "actions" in tables(warehouse)


def test_a_server_that_is_not_there_is_one_clear_sentence_without_the_password() -> None:
    with pytest.raises(UserError, match=r"PostgreSQL at 127\.0\.0\.1:1/nowhere cannot be reached") as caught:
        migrate(Warehouse("postgresql://somebody:geheim@127.0.0.1:1/nowhere"))
    assert "geheim" not in str(caught.value)
    assert "geheim" not in repr(Warehouse("postgresql://somebody:geheim@127.0.0.1:1/nowhere"))


HANGS_IN_THE_MIDDLE = """
create function hang() returns event_trigger language plpgsql as $$
begin
    if current_setting('application_name') = 'killed' and to_regclass('cs.alerts') is not null then
        perform pg_sleep(3);
    end if;
end
$$;
create event trigger hang on ddl_command_end execute function hang();
"""


@pytest.mark.slow(seconds=8)
def test_a_migration_that_is_killed_in_its_middle_leaves_nothing_half_done_and_is_run_again(
    databases: Databases, tmp_path: Path
) -> None:
    empty = databases.create()
    with empty.session() as session, session.cursor() as cursor:
        cursor.execute(HANGS_IN_THE_MIDDLE)
    command = [sys.executable, "-m", "cs_pipeline.cli", "warehouse", "migrate"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CS_PIPELINE_HOME": str(tmp_path)}
    killed = environment | {"CS_PIPELINE_DATABASE_URL": f"{empty.url}?application_name=killed"}
    process = subprocess.Popen(command, env=killed)

    def hangs() -> bool:
        with empty.session() as session, session.cursor() as cursor:
            cursor.execute(
                "select count(*) from pg_stat_activity "
                "where datname = current_database() and application_name = 'killed' and wait_event = 'PgSleep'"
            )
            return cursor.fetchone() == (1,)

    wait_until("the middle of the migration", timedelta(minutes=1), hangs)
    process.kill()
    process.wait()
    again = environment | {"CS_PIPELINE_DATABASE_URL": empty.url}
    done = subprocess.run(command, env=again, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Our tables went from nothing to" in done.stdout
    assert version_of(empty).is_newest
    assert why_not_ready(empty) == ""
    databases.drop(empty)
