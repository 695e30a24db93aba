"""What tests of alerts share: rules over a table that they fill."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.alert_rules import Watched

Watch = Callable[..., Watched]


@pytest.fixture
def watch(warehouse: Warehouse, tmp_path: Path) -> Watch:
    """Watches rules, whose first evaluation, the baseline, is yet to come."""

    def watch(*rules: Rule) -> Watched:
        return Watched(warehouse, Settings(home=tmp_path / "home"), *rules)

    return watch
