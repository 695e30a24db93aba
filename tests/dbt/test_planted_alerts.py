"""What is planted for an alert rule makes it fire, and one step short does not: from raw rows to the rule's view."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.generate import company_tables
from cs_pipeline.demo.planted_alerts import planted_tables
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.parsed_project import ParsedProject
from tests.conftest import CopyDatabase
from tests.dbt.conftest import DbtWarehouse

COMPANY = SampleCompany(accounts=20, weeks=20, ends_on=date(2025, 6, 2))
TABLES, TRUTH = planted_tables(COMPANY)
RULES = sorted(set(TRUTH["rule"].to_pylist()))


@pytest.fixture(scope="module")
def planted(
    migrated: Warehouse, copy_once: CopyDatabase, dbt_project: ParsedProject, tmp_path_factory: pytest.TempPathFactory
) -> DbtWarehouse:
    """The planted accounts and the tables of no account, built up to the end of the company."""
    empty = copy_once(migrated)
    warehouse = DbtWarehouse(empty, dbt_project, tmp_path_factory.mktemp("planted"))
    tables = company_tables(COMPANY)
    for name in {*tables, *TABLES}:
        parts = [found[name] for found in (tables, TABLES) if name in found]
        warehouse.load(name, *pa.concat_tables(parts).to_pylist())
    warehouse.build("--exclude", "tag:weekly", "tag:alerts", "tag:kpis", "--exclude-resource-type", "test")
    # Some rules compare with a quarter before.
    first_week, last_week = (COMPANY.ends_on - timedelta(weeks=weeks) for weeks in (15, 1))
    warehouse.build(
        "--select", "tag:weekly", "--exclude-resource-type", "test", week_from=f"{first_week}", week_to=f"{last_week}"
    )
    warehouse.build("--select", "tag:alerts", "--exclude-resource-type", "test")
    return warehouse


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_fires_for_the_account_planted_for_it_and_not_one_step_short(rule: str, planted: DbtWarehouse) -> None:
    plants = [plant for plant in TRUTH.to_pylist() if plant["rule"] == rule]
    found = set(planted.asked(rule, "account_id, as_of", *sorted({plant["asked_at"].isoformat() for plant in plants})))
    assert {plant["fires"]: (plant["account_id"], plant["asked_at"]) in found for plant in plants} == {
        True: True,
        False: False,
    }


def test_every_rule_has_plants_but_those_that_read_scores() -> None:
    by_scores = {
        *("renewal_and_poor", "health_average_to_poor", "health_good_to_poor", "poor_30d", "competition_evaluation"),
        "disagreement_wide",
    }
    assert set(load_rules(None)) - set(RULES) == by_scores
