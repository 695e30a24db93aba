"""What tests of alerts share: rules over a table that they fill, in a database that each finds empty; empty marts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.alert_rules import Watched, empty
from tests.builders.fixtures import marts, settings
from tests.conftest import CopyDatabase

__all__ = ["settings"]

Watch = Callable[..., Watched]

__all__ = ["Watch", "marts", "watch"]


@pytest.fixture(scope="module")
def alerts_warehouse(migrated: Warehouse, copy_once: CopyDatabase) -> Warehouse:
    """One for the tests of a module, which leave it empty: a copy costs more than most of them."""
    return copy_once(migrated)


@pytest.fixture
def watch(alerts_warehouse: Warehouse, tmp_path: Path) -> Iterator[Watch]:
    """Watches rules, whose first evaluation, the baseline, is yet to come."""

    def watch(*rules: Rule) -> Watched:
        return Watched(alerts_warehouse, Settings(home=tmp_path / "home"), *rules)

    yield watch
    empty(alerts_warehouse)
