"""The project as a whole: it builds on nothing and on little, and its own tests of logic hold."""

from tests.dbt.conftest import DbtWarehouse


def test_the_unit_tests_of_the_models_hold(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.build("--exclude", "tag:weekly")
    failed = dbt_warehouse.failures("test", "--select", "test_type:unit")
    assert not failed, "\n\n".join(failed)
