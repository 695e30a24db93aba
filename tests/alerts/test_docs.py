"""docs/alerts.md says what is so: its example is a rule, its fields are those of `meta.alert`."""

import re
from pathlib import Path
from typing import get_args

import yaml

from cs_pipeline.alerts.evaluation import Health
from cs_pipeline.alerts.folder_defaults import read_folder_defaults
from cs_pipeline.alerts.rule import COLUMNS, Alert
from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.alerts.scorecard import Verdict
from cs_pipeline.alerts.team_file import load_directory
from cs_pipeline.reports.alerts.text import CAUSES
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))
SQL, RULE, FOLDERS, TEAM, PEOPLE = re.findall(r"^```(?:sql|yaml)\n(.*?)^```", PAGE, re.M | re.S)


def rows(section: str) -> dict[str, str]:
    """First and second cell of the table rows of a section, by each name in the first."""
    found = re.findall(r"^\| (`?[^|]+?`?) \| (.+?) \|", SECTIONS[section], re.M)
    return {name: meaning for names, meaning in found for name in re.findall(r"`?([a-z_ ]+[a-z_0-9])`?", names)}


def test_every_field_is_explained_and_no_other() -> None:
    fields = {field.alias or name for name, field in Alert.model_fields.items()}
    assert rows("meta.alert, field by field").keys() - {"field"} == fields


def test_a_field_without_a_default_is_said_to_be_required() -> None:
    table = re.findall(r"^\| `([a-z_]+)` \|.*\| ([^|]+) \|$", SECTIONS["meta.alert, field by field"], re.M)
    required = {field.alias or name for name, field in Alert.model_fields.items() if field.is_required()}
    assert {name for name, without in table if without == "required"} == required


def test_columns_health_and_verdicts_are_those_that_there_are() -> None:
    assert set(COLUMNS) <= rows("The six columns").keys()
    assert set(get_args(Health)) <= rows("States").keys()
    assert set(get_args(Verdict)) <= rows("Look before switching on, and afterwards").keys()
    assert set(CAUSES) >= {"condition", "expired"}


def test_the_example_is_a_rule_with_its_parameter_and_the_team_may_set_it(tmp_path: Path) -> None:
    folder = tmp_path / "alerts" / "custom"
    folder.mkdir(parents=True)
    (folder / "many_open_tickets.sql").write_text(SQL, encoding="utf-8")
    (folder / "_many_open_tickets.yml").write_text(RULE, encoding="utf-8")
    (rule,) = load_rules(None, folder.parent).values()
    assert (rule.name, rule.defaults, rule.folder) == ("many_open_tickets", {"tickets": 4}, "custom")
    (columns,) = [model["columns"] for model in yaml.safe_load(RULE)["models"]]
    assert [column["name"] for column in columns] == list(COLUMNS)


def test_the_example_of_what_a_folder_sets_is_read(tmp_path: Path) -> None:
    project = tmp_path / "dbt_project.yml"
    project.write_text(f"name: cs_pipeline\n{FOLDERS}", encoding="utf-8")
    assert set(read_folder_defaults(project).of("custom")) == {"severity", "notify", "remind_every"}


def test_the_examples_of_alerts_yaml_are_read(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(TEAM + PEOPLE, encoding="utf-8")
    rules = load_rules(tmp_path)
    assert rules["invoice_overdue"].parameters["enterprise"] == {"days": 5}
    assert rules["invoice_overdue"].parameters["pro"] == {"days": 14}
    assert not rules["pricing_page"].is_on
    assert load_directory(tmp_path).people["olga@example.com"].timezone == "Europe/Madrid"
