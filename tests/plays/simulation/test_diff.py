"""The guide of docs/scores.md, step by step: a model of one's own, and what `diff` compares it with."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from cs_pipeline.cli import app
from cs_pipeline.errors import UserError
from cs_pipeline.health.library import SHIPPED
from cs_pipeline.health.selection import load_selection
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from tests.builders.company import WEEK, Company
from tests.plays.simulation.test_model_diff import add_all_metrics, add_weeks

TEXT = (SHIPPED / "weekly_points.yaml").read_text(encoding="utf-8")


@pytest.fixture
def config(company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the team's configuration; two accounts that no model has scored yet."""
    add_all_metrics(company)
    for account, bands in (("green", "GG"), ("yellow", "YY")):
        company.account(account)
        add_weeks(company, account, bands)
    (tmp_path / "score_models").mkdir()
    monkeypatch.setenv("CS_PIPELINE_CONFIG", str(tmp_path))
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", company.warehouse.url)
    return tmp_path


def model_file(config: Path, name: str, green: int) -> Path:
    """A file like weekly_points, with Green from so many points."""
    path = config / "score_models" / f"{name}.yaml"
    text = TEXT[: TEXT.index("variants:")].replace("model: weekly_points", f"model: {name}", 1)
    path.write_text(text.replace("from: 70", f"from: {green}"), encoding="utf-8")
    return path


def select(config: Path, active: str, *side_by_side: str) -> None:
    rules = {"active": [{"model": active}], "side_by_side": list(side_by_side)}
    (config / "score_selection.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")


def score(company: Company, config: Path) -> None:
    score_weeks(company.warehouse, load_selection(config), [WEEK], Scope())


def compared(*arguments: object) -> tuple[str, str, int]:
    """Models before and after, and how many accounts change band."""
    done = CliRunner().invoke(app, ["model", "diff", *map(str, arguments), "--json"], catch_exceptions=False)
    found = json.loads(done.stdout)
    changing = sum(row["accounts"] for row in found["bands"] if row["from_band"] != row["to_band"])
    return found["old"]["model"], found["new"]["model"], changing


@pytest.mark.parametrize("is_scored", [False, True])
def test_a_model_beside_the_others_is_compared_with_what_counts(
    company: Company, config: Path, is_scored: bool
) -> None:
    path = model_file(config, "my_points", 60)
    select(config, "weekly_points", "my_points")
    if is_scored:
        score(company, config)
    assert compared(path) == ("weekly_points", "my_points", 1)


def test_a_model_that_counts_and_is_edited_in_place_is_compared_with_what_it_was(
    company: Company, config: Path
) -> None:
    path = model_file(config, "my_points", 70)
    select(config, "my_points", "weekly_points")
    score(company, config)
    assert compared(path) == ("my_points", "my_points", 0)
    model_file(config, "my_points", 60)
    assert compared(path) == ("my_points", "my_points", 1)


def test_a_file_elsewhere_is_compared_with_its_namesake_that_counts(config: Path, tmp_path: Path) -> None:
    draft = model_file(config, "my_points", 60).rename(tmp_path / "my_points.yaml")
    model_file(config, "my_points", 70)
    select(config, "my_points")
    assert compared(draft) == ("my_points", "my_points", 1)


def test_what_cannot_be_read_any_more_is_said_and_not_replaced_by_the_file_itself(
    company: Company, config: Path
) -> None:
    path = model_file(config, "my_points", 70)
    select(config, "my_points")
    score(company, config)
    company.run("""update cs.score_models set definition = '{"weights": []}'""")
    model_file(config, "my_points", 60)
    with pytest.raises(UserError, match=r"my_points was kept in a form that is no longer read.*--against"):
        compared(path)
    assert compared(path, "--against", "weekly_points") == ("weekly_points", "my_points", 1)
