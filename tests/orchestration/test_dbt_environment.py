"""The password of the database is for dbt's process alone."""

import os
import subprocess
import sys

import pytest

from cs_pipeline.orchestration.resources import environment_of_dbt
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.dbt_cli import dbt_environment

PASSWORD = "CS_PIPELINE_DBT_PASSWORD"


def test_dbt_has_the_password_and_the_process_of_the_run_has_not(warehouse: Warehouse) -> None:
    asked = dbt_environment(warehouse, {})
    command = [sys.executable, "-c", f"import os; print(os.environ['{PASSWORD}'])"]
    with environment_of_dbt(asked):
        started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert PASSWORD not in os.environ
    assert started.communicate()[0].strip() == asked[PASSWORD] != ""


def test_what_was_set_before_is_so_again(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CS_PIPELINE_DBT_HOST", "mine.example.com")
    with pytest.raises(OSError, match="no dbt"), environment_of_dbt(dbt_environment(warehouse, {})):
        raise OSError("no dbt")
    assert os.environ["CS_PIPELINE_DBT_HOST"] == "mine.example.com"


def test_a_variable_without_a_value_is_not_left_over_from_a_run_before(warehouse: Warehouse) -> None:
    asked = dbt_environment(warehouse, {"week_from": "2025-01-06"})
    assert asked["CS_PIPELINE_DBT_WEEK_FROM"] == "2025-01-06"
    assert asked["CS_PIPELINE_DBT_KNOWN_AT"] == ""


def test_dbt_logs_no_statements_unless_the_environment_asks_for_them(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DBT_LOG_LEVEL_FILE", raising=False)
    assert dbt_environment(warehouse, {})["DBT_LOG_LEVEL_FILE"] == "info"
    monkeypatch.setenv("DBT_LOG_LEVEL_FILE", "debug")
    assert dbt_environment(warehouse, {})["DBT_LOG_LEVEL_FILE"] == "debug"
