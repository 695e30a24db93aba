"""Dagster's storage in the pipeline's database, as every tick of a sensor makes one."""

import pytest

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
