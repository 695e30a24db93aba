"""The code location as a whole: it loads lazily, and a person who opens the Dagster UI is told what everything is."""

import os
import subprocess
import sys

import dagster as dg
import pytest

from cs_pipeline.orchestration.build import build_defs
from cs_pipeline.settings import Settings
from tests.conftest import ROOT


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


def test_every_check_of_an_asset_says_what_it_holds(repository: dg.RepositoryDefinition) -> None:
    checks = repository.asset_graph.asset_check_keys
    assert checks
    for key in checks:
        assert repository.asset_graph.get_check_spec(key).description, key


def test_every_job_op_and_field_of_a_launchpad_is_described(repository: dg.RepositoryDefinition) -> None:
    for job in repository.get_all_jobs():
        if job.name.startswith("__"):
            continue  # Dagster's own, for assets that are materialized by hand
        assert job.description, job.name
        for node in job.nodes:
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
import subprocess, sys
from pathlib import Path
from unittest import mock

with mock.patch("cs_pipeline.settings.load_settings", side_effect=AssertionError("the environment was read")):
    with mock.patch("subprocess.run", side_effect=AssertionError("a process was started")):
        import cs_pipeline.definitions
built = []
import cs_pipeline.orchestration.build as build
import cs_pipeline.definitions as location
location.build_defs = lambda settings: built.append(settings) or build.build_defs(settings)
from dagster import DagsterInstance
location.defs()
print(len(built))
"""


def test_to_import_the_code_location_reads_and_builds_nothing() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CS_PIPELINE_")}
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1"
