"""What `cs-pipeline init` writes works as it stands, and it never takes the place of what somebody wrote."""

import compileall
import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest
import yaml

from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.cli.init import COMMANDS
from cs_pipeline.errors import UserError
from cs_pipeline.health.selection import load_selection
from cs_pipeline.settings import Settings, load_settings
from cs_pipeline.starter import write
from cs_pipeline.starter.write import write_project
from cs_pipeline.warehouse.dbt_cli import run_models
from cs_pipeline.warehouse.dbt_folder import TEAM, dbt_folder
from tests.builders.sample_history import History
from tests.command_line import run_command


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that was just written, and we are in it."""
    folder = tmp_path / "Acme Success"
    write_project(folder)
    monkeypatch.chdir(folder)
    for name in ("CONFIG", "HOME"):
        monkeypatch.delenv(f"CS_PIPELINE_{name}", raising=False)
    return folder


@pytest.mark.slow(seconds=10)
def test_the_commands_that_its_readme_names_take_every_file_and_find_the_folder_by_env(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^(cs-pipeline .+?)  +#", readme, re.M) == list(COMMANDS)
    code, said = run_command(monkeypatch, capsys, "doctor")
    assert code == 0, said
    for words in ("quiet_champion", "our_points (beside)", "many_open_tickets", "dbt parses 2 of your own"):
        assert words in " ".join(said.split())
    assert run_command(monkeypatch, capsys, "connect", "--list")[0] == 0
    assert run_command(monkeypatch, capsys, "play", "list")[0] == 0
    assert {path.name for path in project.rglob("*.y*ml") if not yaml.safe_load(path.read_text())} == set()


def test_as_written_it_counts_and_sends_what_is_shipped(project: Path) -> None:
    config = load_settings().config
    assert [each.model for each in load_selection(config).active_models] == ["weekly_points"]
    own = load_rules(config)
    changed = {name for name, rule in load_rules(None).items() if (rule.alert, rule.parameters) != _of(own, name)}
    assert changed == set()
    assert set(own) - set(load_rules(None)) == {"many_open_tickets"}
    assert load_settings().delivery == "capture"
    assert load_settings() == Settings(config=Path("config"))


def test_what_pip_compiled_beside_the_files_is_no_part_of_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "installed"
    shutil.copytree(write.FILES, installed)
    assert compileall.compile_dir(installed, quiet=1)
    assert list(installed.rglob("*.pyc"))
    expected = write.contents("acme")
    monkeypatch.setattr(write, "FILES", installed)
    assert write.contents("acme") == expected


def _of(rules: dict, name: str) -> tuple:
    return rules[name].alert, rules[name].parameters


@pytest.mark.slow(seconds=10)
def test_its_models_are_built_on_a_company_beside_ours(project: Path, history: History) -> None:
    folder, variables = dbt_folder(load_settings()), {"present": f"{history.settings.now}"}
    run_models(history.warehouse, f"path:{TEAM}", variables, folder=folder, target="own", log=history.home / "dbt.log")
    assert history.count("team.accounts_by_owner", "accounts > 0") > 1
    assert history.count("alerts.many_open_tickets", "account_id is not null") >= 0
    assert [path.name for path in (project / "config" / "dbt_models" / "team").iterdir() if path.is_dir()] == []


def test_it_is_a_package_that_names_the_version_that_wrote_it(project: Path) -> None:
    made = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    ours = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert made["project"]["name"] == "acme-success"
    assert made["project"]["dependencies"] == [f"cs-pipeline[embedded]=={ours['project']['version']}"]
    assert made["tool"]["dagster"] == ours["tool"]["dagster"]
    workspace = yaml.safe_load((project / "workspace.yaml").read_text(encoding="utf-8"))
    assert workspace == yaml.safe_load((Path(__file__).parents[2] / "workspace.yaml").read_text(encoding="utf-8"))


def test_others_may_read_it_but_not_its_settings(project: Path) -> None:
    modes = {path.name: path.stat().st_mode & 0o077 for path in (project, project / "README.md", project / ".env")}
    assert modes == {project.name: 0o055, "README.md": 0o044, ".env": 0}


def test_what_somebody_wrote_stays_unless_force_is_said_and_settings_stay_even_then(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".env").write_text("CS_PIPELINE_CONFIG=config\nCS_PIPELINE_COMPANY_NAME=Acme\n", encoding="utf-8")
    model = project / "config" / "score_models" / "our_points.yaml"
    model.write_text("ours", encoding="utf-8")
    (project / "workspace.yaml").unlink()
    code, said = run_command(monkeypatch, capsys, "init")
    assert code == 1
    assert "our_points.yaml is there and would be overwritten" in said
    assert not (project / "workspace.yaml").exists(), "all or nothing"

    code, said = run_command(monkeypatch, capsys, "init", "--force", "--json")
    written = {each["file"] for each in json.loads(said) if each["state"] == "written"}
    assert (code, written) == (0, {"config/score_models/our_points.yaml", "workspace.yaml"})
    assert "COMPANY_NAME=Acme" in (project / ".env").read_text(encoding="utf-8")


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    with pytest.raises(UserError, match=r"pyproject\.toml \(is a folder\)"):
        write_project(tmp_path, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]
