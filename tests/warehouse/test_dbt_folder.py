"""On which folder dbt is run: the shipped project, or one of links where a team adds models or we may not write."""

import json
from pathlib import Path

import pytest

from cs_pipeline.dbt_files import DBT_PROJECT
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse import dbt_folder as module
from cs_pipeline.warehouse.dbt_cli import build_manifest, project_changed_at
from cs_pipeline.warehouse.dbt_folder import dbt_folder


def settings_of(folder: Path) -> Settings:
    return Settings(home=folder / "home", config=folder / "config")


def write_model(folder: Path, sql: str) -> Path:
    model = folder / "config" / "dbt_models" / "team" / "large_accounts.sql"
    model.parent.mkdir(parents=True, exist_ok=True)
    model.write_text(sql, encoding="utf-8")
    return model


def test_the_shipped_project_is_taken_where_nobody_adds_to_it(tmp_path: Path) -> None:
    assert dbt_folder(settings_of(tmp_path)) == DBT_PROJECT
    assert not (tmp_path / "home").exists()


def test_where_we_may_not_write_beside_the_code_dbt_writes_into_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    folder = dbt_folder(settings_of(tmp_path))
    assert folder == tmp_path / "home" / "dbt_project"
    assert {path.name: path.resolve() for path in folder.iterdir()} == {
        name: DBT_PROJECT / name for name in module.PARTS
    }


@pytest.mark.slow(seconds=8)
def test_models_of_a_team_are_parsed_with_ours_and_a_link_follows_what_moves(tmp_path: Path) -> None:
    model = write_model(tmp_path, "select account_id from {{ ref('dim_accounts') }} where arr > 1000")
    settings = settings_of(tmp_path)
    folder = dbt_folder(settings)
    before = project_changed_at(folder)
    manifest = json.loads(build_manifest(folder).read_text())
    found = manifest["nodes"]["model.cs_pipeline.large_accounts"]
    assert found["original_file_path"] == "models_of_team/team/large_accounts.sql", (
        "what is compiled stays below target"
    )
    assert found["depends_on"]["nodes"] == ["model.cs_pipeline.dim_accounts"]

    model.write_text("select 1 as account_id from {{ ref('no_such_model') }}", encoding="utf-8")
    assert project_changed_at(folder) > before
    with pytest.raises(UserError, match="no_such_model"):
        build_manifest(dbt_folder(settings))

    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "config").rename(elsewhere)
    dbt_folder(Settings(home=settings.home, config=elsewhere))
    assert (folder / module.TEAM).resolve() == elsewhere / "dbt_models"
