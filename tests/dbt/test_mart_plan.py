"""How many rows PostgreSQL expects of the mart: what it takes for too many, it cuts into files for ever."""

from pathlib import Path

import psycopg2.extras
import pytest

from tests.builders.dbt_statements import statements_of
from tests.dbt.conftest import LATER, DbtWarehouse, accounts

ACCOUNTS = 300
LOGGED = ("--log-level-file", "debug", "--log-format-file", "json")


@pytest.mark.one_server("it builds the mart in steps, each a table, and explains one shard of each")
def test_as_many_rows_are_expected_of_the_mart_as_there_are_accounts(
    dbt_warehouse: DbtWarehouse, tmp_path: Path
) -> None:
    dbt_warehouse.load("accounts", *accounts(*(f"a{number}" for number in range(ACCOUNTS))))
    dbt_warehouse.build("--exclude", *LATER, "--exclude-resource-type", "test")
    dbt_warehouse.build("--select", "fct_account_weeks", *LOGGED, week_from="2024-01-01", week_to="2024-01-01")
    ran = statements_of(tmp_path / "logs" / "dbt.log")["fct_account_weeks"]
    with (
        dbt_warehouse.warehouse.session() as session,
        session.cursor(cursor_factory=psycopg2.extras.DictCursor) as cursor,
    ):
        (mart,) = (each for each in ran if each.startswith("insert into"))
        for statement in ran[: ran.index(mart)]:
            if not statement.startswith("create "):  # the mart's own table is there
                cursor.execute(statement)
        cursor.execute(f"explain (format json) {mart}")
        ((plan,),) = cursor.fetchall()
        session.rollback()
    (rows,) = plan[0]["Plan"]["Plans"]
    assert ACCOUNTS / 2 < rows["Plan Rows"] < 2 * ACCOUNTS
