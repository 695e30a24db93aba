"""The code location as a whole: it loads lazily, and a person who opens the Dagster UI is told what everything is."""

import os
import subprocess
import sys
from collections.abc import Sequence

import dagster as dg
import pytest

from cs_pipeline.orchestration.build import build_defs
from cs_pipeline.orchestration.keys import PLAY_PROGRESS, WORK_QUEUE
from cs_pipeline.settings import Settings
from tests.conftest import ROOT

LOOKS = (PLAY_PROGRESS, WORK_QUEUE)
"""Assets that read tables and are none."""
BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE"
ALL_OF_THEM = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "c"}


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return build_defs(Settings()).get_repository_def()


def test_every_asset_has_a_group_a_description_owners_and_kinds(repository: dg.RepositoryDefinition) -> None:
    for key in repository.asset_graph.get_all_asset_keys():
        asset = repository.asset_graph.get(key)
        assert asset.group_name not in (None, "default"), key
        assert asset.description, key
        assert asset.owners, key
        assert asset.kinds, key
        if "postgres" in asset.kinds and key not in LOOKS:
            table = asset.metadata["dagster/table_name"]  # dbt's begins with the database, as its manifest has it
            assert str(table).endswith(".".join(key.path)), key


def test_every_check_of_an_asset_says_what_it_holds(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    ours = [spec for key in graph.asset_check_keys if not is_of_dbt(spec := graph.get_check_spec(key))]
    assert ours
    for check in ours:
        assert check.description, check.key


def is_of_dbt(check: dg.AssetCheckSpec) -> bool:
    """Tests of dbt have names that say what they hold."""
    return any(str(name).startswith("dagster_dbt") for name in check.metadata or {})


def test_every_job_op_and_field_of_a_launchpad_is_described(repository: dg.RepositoryDefinition) -> None:
    for job in repository.get_all_jobs():
        if job.name.startswith("__"):
            continue  # Dagster's own, for assets that are materialized by hand
        assert job.description, job.name
        for node in job.nodes:
            if not node.name.startswith("dbt_"):  # dagster-dbt takes no description for what builds many assets
                assert node.definition.description, f"{job.name}.{node.name}"
            schema = node.definition.config_schema if isinstance(node.definition, dg.OpDefinition) else None
            for name, field in getattr(schema and schema.config_type, "fields", {}).items():
                assert field.description, f"{job.name}.{node.name}.{name}"


def test_every_schedule_sensor_and_resource_is_described(repository: dg.RepositoryDefinition) -> None:
    for each in (*repository.schedule_defs, *repository.sensor_defs):
        assert each.description, each.name
    for name, resource in repository.get_top_level_resources().items():
        assert resource.description, name


IMPORTS = """
import os, subprocess, sys
from unittest import mock

import dagster, dagster_dbt
import cs_pipeline.orchestration.build as build

with mock.patch.dict(os.environ, CS_PIPELINE_FIRST_WEEK="no week"), mock.patch("subprocess.run", side_effect=OSError):
    import cs_pipeline.definitions as location
with mock.patch.object(build, "build_defs", wraps=build.build_defs) as building:
    location.defs()
print(building.call_count, *sorted({"dlt", "dagster_dlt"} & set(sys.modules)))  # whose extra nobody asked for
"""


def test_to_import_the_code_location_reads_no_setting_and_parses_no_project() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CS_PIPELINE_")}
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1"


def test_what_a_step_says_of_many_weeks_is_written_in_batches_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(BATCH_SIZE, "5")
    build_defs(Settings())
    assert os.environ[BATCH_SIZE] == "5"
    monkeypatch.delenv(BATCH_SIZE)
    build_defs(Settings())
    assert os.environ[BATCH_SIZE] == "1000"
    assert_written_at_once(dg.DagsterInstance.ephemeral())


def assert_written_at_once(instance: dg.DagsterInstance) -> None:
    """Dagster itself goes by it: all partitions of an asset in one call of its storage."""
    weeks = dg.StaticPartitionsDefinition(["a", "b", "c"])
    batches: list[int] = []
    storage = instance.event_log_storage
    stored = storage.store_event_batch

    def store(events: Sequence[dg.EventLogEntry]) -> None:
        batches.append(len(events))
        stored(events)

    @dg.asset(partitions_def=weeks, backfill_policy=dg.BackfillPolicy.single_run())
    def scores() -> None: ...

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "store_event_batch", store)
        assert dg.materialize([scores], instance=instance, partition_key=None, tags=ALL_OF_THEM).success
    assert set(batches) == {3}
    assert instance.get_materialized_partitions(scores.key) == {"a", "b", "c"}
