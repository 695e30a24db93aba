"""A vendor's tables, landed, and what its templates make of them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cs_pipeline.connectors.connect import connect
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.mapping import install_mappings
from tests.builders.landed import land

Mapped = Callable[..., dict[str, list[dict[str, Any]]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A mapping folder that is not there yet."""
    return tmp_path / "mapping"


@pytest.fixture
def mapped(warehouse: Warehouse, folder: Path) -> Mapped:
    """Lands tables, connects them, and gives the rows of every mapping by table, in the order of their first column."""

    def run(vendor: str, files: Mapping[str, str], flavour: str = "") -> dict[str, list[dict[str, Any]]]:
        land(warehouse, vendor, files)
        connect(warehouse, vendor, flavour, vendor, folder)
        return rows_of_mappings(warehouse, folder)

    return run


def rows_of_mappings(warehouse: Warehouse, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of the folder's mappings, by table."""
    installed = install_mappings(warehouse, folder, whole=False)
    found: dict[str, list[dict[str, Any]]] = {}
    with warehouse.session() as session, session.cursor() as cursor:
        for view in installed:
            cursor.execute(f"select * from {view.relation} order by 1")
            names = [column.name for column in cursor.description or ()]
            found[view.table] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return found
