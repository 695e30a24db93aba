"""Fixtures of several rooms: a company in a database of the test's own, its settings and clock; empty marts."""

from pathlib import Path

import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY, Company
from tests.builders.marts import create_marts


@pytest.fixture
def company(warehouse: Warehouse) -> Company:
    """No accounts yet."""
    return Company(warehouse)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Messages are captured below the test's folder."""
    return Settings(home=tmp_path / "home")


@pytest.fixture
def clock() -> Clock:
    """Stands at a Monday noon until the test moves it."""
    return Clock(MONDAY)


@pytest.fixture
def marts(warehouse: Warehouse) -> Warehouse:
    """The test's own warehouse, with empty marts."""
    create_marts(warehouse)
    return warehouse
