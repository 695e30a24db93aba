"""The `cs` schema is created once, whoever asks and however often."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.migrate import migrate, version_of
from cs_pipeline.warehouse.readiness import why_not_ready
from tests.builders.databases import Databases
from tests.builders.killed_migration import MIGRATE, kill_a_migration
from tests.conftest import ROOT


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


@pytest.mark.slow(seconds=8)
def test_a_migration_that_is_killed_in_its_middle_leaves_nothing_half_done_and_is_run_again(
    databases: Databases, tmp_path: Path
) -> None:
    empty = databases.create()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CS_PIPELINE_HOME": str(tmp_path)}
    kill_a_migration(empty, "cs.alerts", environment)
    again = environment | {"CS_PIPELINE_DATABASE_URL": empty.url}
    done = subprocess.run(MIGRATE, env=again, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Our tables went from nothing to" in done.stdout
    assert version_of(empty).is_newest
    assert why_not_ready(empty) == ""
    databases.drop(empty)
