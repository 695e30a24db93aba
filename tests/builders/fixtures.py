"""Fixtures of several rooms: a company in a database of the test's own, its settings and clock; empty marts."""

from pathlib import Path

import pytest

from cs_pipeline.clock import Clock
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY, Company
from tests.builders.databases import Databases
from tests.builders.marts import create_marts
from tests.conftest import CopyDatabase


@pytest.fixture
def company(databases: Databases, migrated: Warehouse, copy_database: CopyDatabase) -> Company:
    """No accounts yet, in a fresh database of the test's own."""
    return Company(copy_database(databases.made_once("company", Company, migrated)), has_marts=True)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Messages are captured below the test's folder."""
    return Settings(home=tmp_path / "home")


@pytest.fixture
def clock() -> Clock:
    """Stands at a Monday noon until the test moves it."""
    return Clock(MONDAY)


@pytest.fixture
def marts(databases: Databases, migrated: Warehouse, copy_database: CopyDatabase) -> Warehouse:
    """A fresh database of the test's own, with empty marts."""
    return copy_database(databases.made_once("marts", create_marts, migrated))
