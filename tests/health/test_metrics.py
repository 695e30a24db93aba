"""Metrics are read from the mart's properties file, and what is wrong there is named with its line."""

from pathlib import Path

import pytest

from cs_pipeline.health.metrics import FILE, METRICS, Metric, read_metrics
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.yaml_with_lines import InvalidFile

MART = """\
version: 2
models:
  - name: fct_account_weeks
    columns:
      - {name: week, data_type: date}
      - name: logins_7d
        data_type: double precision
        config:
          meta:
            unit: count
            words: logins in 7 days
            healthier: more
            source: events
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "mart.yml"
    file.write_text(MART)
    return file


def complaint(file: Path) -> str:
    with pytest.raises(InvalidFile) as refused:
        read_metrics(file)
    return str(refused.value).replace(str(file), "mart.yml")


def test_numeric_columns_are_metrics_and_others_are_not(file: Path) -> None:
    assert read_metrics(file) == {"logins_7d": Metric("logins_7d", "count", "logins in 7 days", "more", "events")}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "            words: logins in 7 days\n",
            "",
            "mart.yml:9: models[1].columns[2].config.meta.words: is missing; logins_7d is numeric, so it is a metric",
        ),
        (
            "unit: count",
            "unit: apples",
            "mart.yml:10: models[1].columns[2].config.meta.unit: expected 'ratio', 'count'",
        ),
        (
            "source: events",
            "source: [events]",
            "mart.yml:13: models[1].columns[2].config.meta.source: expected a valid",
        ),
        ("fct_account_weeks", "dim_accounts", "mart.yml:2: models: expected fct_account_weeks and no other model"),
        ("version: 2\n", "version: [2\n", "is not YAML"),
        (MART, "", "mart.yml: is empty"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_its_line(file: Path, old: str, new: str, words: str) -> None:
    file.write_text(MART.replace(old, new))

    assert words in complaint(file)


def test_a_checkout_without_the_dbt_project_is_named(tmp_path: Path) -> None:
    assert complaint(tmp_path / "mart.yml").endswith("there is no such file")


def test_every_metric_comes_from_a_table_of_the_source_contract() -> None:
    assert read_metrics(FILE) == METRICS
    assert {metric.source for metric in METRICS.values()} <= set(read_contract().tables)
