"""Dagster's storage in the pipeline's database, as every tick of a sensor makes one."""

from typing import Any

import pytest
from dagster._core.storage.event_log import SqlEventLogStorage

from cs_pipeline.orchestration.instance_storage import PipelineStorage
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.databases import nobody_let_in


def test_a_process_looks_for_dagsters_tables_once(
    warehouse: Warehouse, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", warehouse.url)
    assert PipelineStorage.from_config_value(None, {}).run_storage.get_runs() == []
    with nobody_let_in(warehouse, server):
        PipelineStorage.from_config_value(None, {})
    assert PipelineStorage.from_config_value(None, {}).run_storage.get_runs() == []


def test_what_dagsters_table_of_assets_has_is_asked_once_and_what_it_lacks_each_time(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", warehouse.url)
    ask, asked = SqlEventLogStorage._has_asset_key_col_on_connection, list[str]()

    def asking(*arguments: Any) -> bool:
        asked.append(arguments[-1])
        return ask(*arguments)

    monkeypatch.setattr(SqlEventLogStorage, "_has_asset_key_col_on_connection", asking)
    storage = PipelineStorage.from_config_value(None, {}).event_log_storage
    assert isinstance(storage, SqlEventLogStorage)
    columns = ["cached_status_data", "cached_status_data", "no_such_column", "no_such_column"]
    assert [storage.has_asset_key_col(column) for column in columns] == [True, True, False, False]
    assert asked == columns[1:]
