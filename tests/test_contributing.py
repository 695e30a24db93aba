"""The recipes of docs/contributing.md name the files that there are, and all that an example stands in."""

import re
import subprocess
from pathlib import Path

import pytest

from cs_pipeline.health.library import SHIPPED, load_score_model

ROOT = Path(__file__).parents[1]
RECIPES = dict(
    re.findall(
        r"^## Add an? ([^\n]+)\n(.*?)(?=^## |\Z)",
        (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8"),
        re.M | re.S,
    )
)


def paths_in(text: str) -> set[str]:
    return {path for path in re.findall(r"`((?:cs_pipeline|dbt_project|docs|tests)/[^`\s]+)`", text) if "<" not in path}


def files_that_mention(word: str, *folders: str) -> set[str]:
    found = subprocess.run(
        ["git", "grep", "-lw", word, "--", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(found.stdout.split())


def test_there_is_a_recipe_for_each_thing_that_is_added_often() -> None:
    things = (
        "connector",
        "metric",
        "KPI",
        "score model",
        "playbook",
        "channel",
        "alert rule",
        "report",
        "page to the site",
    )
    assert set(RECIPES) == set(things)


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_every_file_that_a_recipe_names_exists(recipe: str) -> None:
    assert [path for path in sorted(paths_in(RECIPES[recipe])) if not (ROOT / path).exists()] == []


def test_a_metric_stands_in_the_dbt_files_of_its_recipe_and_in_no_other() -> None:
    mentioned = files_that_mention("open_critical_tickets", "dbt_project")
    assert mentioned == {path for path in paths_in(RECIPES["metric"]) if path.startswith("dbt_project")}


def test_an_alert_rule_stands_in_the_files_of_its_recipe_and_in_no_other() -> None:
    named = {path for path in paths_in(RECIPES["alert rule"]) if "custom" not in path}
    mentioned = files_that_mention("critical_ticket_open", "cs_pipeline", "dbt_project", "docs")
    assert mentioned == named - {"cs_pipeline/alerts/rule.py", "docs/alerts.md"} | {"docs/contributing.md"}


def test_a_report_stands_in_the_files_of_its_recipe_and_in_no_other() -> None:
    named = {path for path in paths_in(RECIPES["report"]) if path.endswith(".py")}
    of_a_period = {path for path in named if path.startswith("cs_pipeline/reports/dated/")}
    of_the_site = {"cs_pipeline/reports/accounts/today.py"}  # a page that shows it besides
    assert files_that_mention("work_queue_table", "cs_pipeline") == (named - of_a_period) | of_the_site
    made = files_that_mention("at_risk_review.at_risk_review", "cs_pipeline") | files_that_mention(
        "def at_risk_review", "cs_pipeline"
    )
    assert made == of_a_period


def test_a_page_stands_in_the_files_of_its_recipe_and_in_no_other() -> None:
    mentioned = files_that_mention("captured_messages", "cs_pipeline/site")
    assert mentioned <= paths_in(RECIPES["page to the site"])


def test_a_score_model_is_one_file_in_the_configuration_folder(tmp_path: Path) -> None:
    (tmp_path / "score_models").mkdir()
    text = (SHIPPED / "five_factor.yaml").read_text(encoding="utf-8")
    own = text.replace("model: five_factor", "model: ours", 1).split("\nvariants:")[0] + "\n"
    (tmp_path / "score_models" / "ours.yaml").write_text(own, encoding="utf-8")
    assert load_score_model("ours", tmp_path).model == "ours"


def test_a_module_says_what_it_does_and_asks_no_question() -> None:
    modules = [path for path in (ROOT / "cs_pipeline").rglob("*.py") if "migrations" not in path.parts]
    openings = {path: path.read_text(encoding="utf-8").partition("\n")[0] for path in modules}
    asking = re.compile(r'^"""(What|Who|Whom|Whose|Whether|Which|How|When|Where|Why|Does|Is)\b')
    assert [f"{path.relative_to(ROOT)}: {line}" for path, line in openings.items() if asking.match(line)] == []
