"""A warehouse with empty marts of the test's own."""

import pytest

from cs_pipeline.warehouse.connection import Warehouse
from tests.history.marts import create_marts


@pytest.fixture
def marts(warehouse: Warehouse) -> Warehouse:
    create_marts(warehouse)
    return warehouse
