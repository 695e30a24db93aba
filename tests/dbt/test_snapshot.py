"""What an account was like is kept, so that a past week is read as it was."""

from tests.dbt.conftest import DbtWarehouse, accounts

VERSIONS = """
    select owner_email, dbt_valid_from::text as since, dbt_valid_to::text as until
    from snapshots.accounts_snapshot order by dbt_valid_from
"""


def take_snapshot(dbt: DbtWarehouse, present: str) -> None:
    dbt.build("--select", "stg_accounts", "int_accounts_today", "accounts_snapshot", present=present)


def test_a_new_owner_is_a_new_version_from_the_present_of_the_run(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.load("accounts", *accounts("a", owner_email="first@example.com"))
    take_snapshot(dbt_warehouse, "2024-03-04T06:00:00Z")
    take_snapshot(dbt_warehouse, "2024-03-11T06:00:00Z")
    dbt_warehouse.load("accounts", *accounts("a", owner_email="second@example.com"))
    take_snapshot(dbt_warehouse, "2024-03-18T08:00:00+02:00")
    assert dbt_warehouse.rows(VERSIONS) == [
        {"owner_email": "first@example.com", "since": "2024-03-04 06:00:00", "until": "2024-03-18 06:00:00"},
        {"owner_email": "second@example.com", "since": "2024-03-18 06:00:00", "until": None},
    ]


def test_a_week_keeps_its_owner_when_the_account_gets_another(dbt_warehouse: DbtWarehouse) -> None:
    owners = "select week::text, owner_email from marts.fct_account_weeks order by week"
    dbt_warehouse.load("accounts", *accounts("a", owner_email="first@example.com"))
    dbt_warehouse.build(
        "--exclude",
        "tag:weekly",
        "tag:alerts",
        "tag:kpis",
        "--exclude-resource-type",
        "test",
        present="2024-03-04T06:00:00Z",
    )
    dbt_warehouse.load("accounts", *accounts("a", owner_email="second@example.com"))
    take_snapshot(dbt_warehouse, "2024-03-06T06:00:00Z")
    dbt_warehouse.build_weeks("2024-02-26", "2024-03-04")
    assert dbt_warehouse.rows(owners) == [
        {"week": "2024-02-26", "owner_email": "first@example.com"},
        {"week": "2024-03-04", "owner_email": "second@example.com"},
    ]
