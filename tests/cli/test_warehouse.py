"""`warehouse`: tables of ours and Dagster's are brought to the newest version, when nobody is at work."""

import json
from pathlib import Path

import dagster as dg
import pytest

from cs_pipeline.cli.daemon import DAEMON
from cs_pipeline.orchestration.instance_migration import version_of_dagster
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.living import doing
from cs_pipeline.warehouse.migrate import version_of
from tests.builders.databases import Databases
from tests.command_line import run_command


@dg.job
def work() -> None:
    """A job."""


@pytest.mark.slow(seconds=8)
def test_a_database_is_migrated_once_nobody_is_at_work_and_told_from_which_version_to_which(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = databases.create()
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", empty.url)
    monkeypatch.setenv("CS_PIPELINE_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))

    def call(*arguments: str) -> tuple[int, str]:
        return run_command(monkeypatch, capsys, "warehouse", *arguments)

    code, said = call("migrate", "--dry-run")
    assert code == 0
    assert "Our tables would go from nothing to" in said
    assert "Dagster's tables would go from nothing to" in said
    assert version_of(empty).current is None
    assert version_of_dagster(empty).current is None

    code, said = call("migrate")
    newest = version_of(empty).newest
    assert (code, version_of(empty).is_newest, version_of_dagster(empty).is_newest) == (0, True, True)
    assert f"Our tables went from nothing to {newest}" in said

    before = make_older(empty)
    with dg.DagsterInstance.get() as instance:
        instance.create_run_for_job(work, status=dg.DagsterRunStatus.STARTED)
    with doing(empty, DAEMON, tmp_path):
        assert "A daemon is at work: process" in refused(call("migrate"))
        assert version_of_dagster(empty).current == before
    assert "Runs are under way: 1." in refused(call("migrate"))
    code, said = call("migrate", "--while-running")
    assert code == 0
    assert f"Dagster's tables went from {before} to {version_of_dagster(empty).newest}" in said
    assert f"Our tables are at {newest}, the newest" in said
    assert call("migrate")[0] == 0, "with nothing to apply nobody is in the way"

    code, said = call("size", "--json")
    sizes = {f"{row['schema']}.{row['table']}": row["megabytes"] for row in json.loads(said)}
    assert {"public.event_logs", "cs.actions"} <= set(sizes)
    assert call("purge")[0] == 0
    databases.drop(empty)


def refused(called: tuple[int, str]) -> str:
    code, said = called
    assert code == 1
    return said


def make_older(warehouse: Warehouse) -> str:
    """Take Dagster's tables back to the version before its newest."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from dagster._core.storage.sql import ALEMBIC_SCRIPTS_LOCATION

    config = Config()
    config.set_main_option("script_location", ALEMBIC_SCRIPTS_LOCATION)
    before = ScriptDirectory.from_config(config).get_revision("head").down_revision
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("update alembic_version set version_num = %s", [before])
    return str(before)
