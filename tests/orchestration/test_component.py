"""The pipeline mounted in a code location of a team's own: what its attributes mean, and that dg takes it."""

import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from cs_pipeline.component import CustomerSuccessPipeline
from cs_pipeline.orchestration.build import build_defs
from cs_pipeline.settings import Settings, load_settings
from tests.conftest import ROOT

TYPE = "cs_pipeline.component.CustomerSuccessPipeline"
ENTRIES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
PROJECT = """
[project]
name = "team_location"
version = "0.1.0"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "team_location"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a project; what the component sets in the environment goes with the test."""
    for name in ("DATABASE_URL", "CONFIG", "HOME"):
        monkeypatch.setenv(f"CS_PIPELINE_{name}", "")
    (tmp_path / "own" / "playbooks").mkdir(parents=True)
    return tmp_path


def mounted(project: Path, attributes: str) -> dg.Definitions:
    """What the component gives in a project, from attributes as they stand in YAML."""
    component = CustomerSuccessPipeline.resolve_from_yaml(attributes)
    return component.build_defs(replace(dg.ComponentTree.for_test().load_context, project_root=project))


@pytest.mark.slow(seconds=3)
def test_its_attributes_are_settings_with_folders_as_seen_from_the_project(project: Path) -> None:
    url = "postgresql://ada:secret@db.example:5432/success"
    found = mounted(project, f"{{database_url: '{url}', config: own, home: state}}")
    settings = load_settings()
    assert (settings.config, settings.home) == (project / "own", project / "state")
    assert settings.database_url
    assert settings.database_url.get_secret_value() == url
    assert found.resources
    assert found.resources["settings"].resource_fn(dg.build_init_resource_context()) == settings
    assert {each.default_status for each in schedules(found)} == {dg.DefaultScheduleStatus.RUNNING}


@pytest.mark.slow(seconds=3)
def test_it_is_all_of_the_pipeline_and_waits_where_it_is_not_to_run_by_itself(project: Path) -> None:
    found, ours = mounted(project, "{runs_by_itself: false}"), build_defs(Settings())
    assert [each.name for each in schedules(found)] == [each.name for each in schedules(ours)]
    assert {each.default_status for each in schedules(found)} == {dg.DefaultScheduleStatus.STOPPED}
    assert {each.default_status for each in found.sensors or ()} == {dg.DefaultSensorStatus.STOPPED}
    there, expected = found.get_repository_def(), ours.get_repository_def()
    assert set(there.asset_graph.get_all_asset_keys()) == set(expected.asset_graph.get_all_asset_keys())
    assert set(there.job_names) == set(expected.job_names)
    beside = dg.Definitions(resources={"dbt": dg.ResourceDefinition.none_resource()})
    assert set(dg.Definitions.merge(found, beside).resources or ()) == {*(found.resources or ()), "dbt"}


def schedules(found: dg.Definitions) -> list[Any]:
    return list(found.schedules or ())


@pytest.mark.slow(seconds=20)
def test_dg_lists_scaffolds_and_checks_it_in_a_project_of_a_team(tmp_path: Path) -> None:
    project, package = tmp_path / "project", tmp_path / "project" / "src" / "team_location"
    (package / "defs").mkdir(parents=True)
    (project / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (package / "__init__.py").touch()
    (package / "defs" / "__init__.py").touch()
    (package / "definitions.py").write_text(
        "from pathlib import Path\nimport dagster as dg\n"
        "@dg.definitions\ndef defs():\n    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)\n"
    )
    dg_says(project, "scaffold", "defs", TYPE, "customer_success")
    written = package / "defs" / "customer_success" / "defs.yaml"
    assert yaml.safe_load(written.read_text(encoding="utf-8")) == {"type": TYPE, "attributes": {}}
    written.write_text(yaml.safe_dump({"type": TYPE, "attributes": {"runs_by_itself": False}}), encoding="utf-8")
    assert "All definitions loaded successfully" in dg_says(project, "check", "defs")
    written.write_text(yaml.safe_dump({"type": TYPE, "attributes": {"confg": "config"}}), encoding="utf-8")
    assert "confg" in dg_says(project, "check", "yaml", code=1)


def dg_says(project: Path, *command: str, code: int = 0) -> str:
    """A command of dg in the project, where our wheel is installed, as its entry points say."""
    installed = project.parent / "installed" / "cs_pipeline_here-0.dist-info"
    installed.mkdir(parents=True, exist_ok=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: cs_pipeline_here\nVersion: 0\n")
    points = [
        f"[{group}]\n" + "".join(f"{name} = {to}\n" for name, to in each.items()) for group, each in ENTRIES.items()
    ]
    (installed / "entry_points.txt").write_text("\n".join(points))
    environment = {
        "PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}", "VIRTUAL_ENV": sys.prefix,
        "HOME": str(project.parent), "CS_PIPELINE_HOME": str(project.parent / "home"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(installed.parent)]), "COLUMNS": "200",
    }  # fmt: skip
    done = subprocess.run(["dg", *command], cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr
