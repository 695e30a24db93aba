"""Building weeks again replaces exactly the rows that the run answers for."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.dbt.conftest import DbtWarehouse, accounts

WEEK, NEXT_WEEK = "2024-02-26", "2024-03-04"
WITH_HISTORY = ("--select", "+fct_account_weeks", "--exclude-resource-type", "test")


def rows(dbt_warehouse: DbtWarehouse) -> Sequence[dict[str, Any]]:
    return dbt_warehouse.rows("select * from marts.fct_account_weeks order by week, account_id")


def rows_marked(dbt_warehouse: DbtWarehouse) -> list[str]:
    """The rows that were there before and were not replaced since `mark`, as 'account week'."""
    return dbt_warehouse.column(
        "select account_id || ' ' || week from marts.fct_account_weeks where account_name = 'marked' order by 1"
    )


def mark(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.execute("update marts.fct_account_weeks set account_name = 'marked'")


@pytest.fixture
def built(dbt_warehouse: DbtWarehouse) -> DbtWarehouse:
    """Two weeks of three accounts: one of January, two of February, of which one is enterprise."""
    dbt_warehouse.load("accounts", *accounts("jan", tier="pro"))
    dbt_warehouse.load("accounts", *accounts("feb", created_at="2024-02-10 10:00Z", tier="pro"))
    dbt_warehouse.load("accounts", *accounts("big", created_at="2024-02-10 10:00Z", tier="enterprise"))
    dbt_warehouse.load(
        "events",
        *(
            {
                "event_id": f"{account_id} {number}",
                "account_id": account_id,
                "user_id": f"{account_id} {number % 3}",
                "occurred_at": f"2024-02-{12 + number} 10:00Z",
                "event_name": "login",
                "feature": "reports",
                "duration_seconds": 0.1 * number,
            }
            for account_id in ("jan", "feb", "big")
            for number in range(15)
        ),
    )
    dbt_warehouse.load("features", {"feature": "reports", "is_core": True}, {"feature": "lists", "is_core": True})
    dbt_warehouse.build(*WITH_HISTORY, week_from=WEEK, week_to=NEXT_WEEK)
    return dbt_warehouse


def test_building_twice_gives_identical_rows_together_or_week_by_week(built: DbtWarehouse) -> None:
    first = rows(built)
    assert [(row["account_id"], str(row["week"])) for row in first] == [
        (account_id, week) for week in (WEEK, NEXT_WEEK) for account_id in ("big", "feb", "jan")
    ]
    built.build_weeks(WEEK, NEXT_WEEK)
    assert rows(built) == first
    built.build_weeks(NEXT_WEEK)
    built.build_weeks(WEEK)
    assert rows(built) == first


def test_a_cohort_replaces_its_accounts_and_no_other(built: DbtWarehouse) -> None:
    first = rows(built)
    mark(built)
    built.build_weeks(WEEK, cohort="2024-02")

    assert rows_marked(built) == ["big 2024-03-04", "feb 2024-03-04", "jan 2024-02-26", "jan 2024-03-04"]
    built.build_weeks(WEEK, NEXT_WEEK)
    assert rows(built) == first


def test_a_segment_of_a_cohort_replaces_only_what_both_name(built: DbtWarehouse) -> None:
    first = rows(built)
    mark(built)
    built.build_weeks(WEEK, NEXT_WEEK, cohort="2024-02", segment="enterprise")
    built.build_weeks(WEEK, NEXT_WEEK, cohort="2024-01", segment="enterprise")

    assert rows_marked(built) == ["feb 2024-02-26", "feb 2024-03-04", "jan 2024-02-26", "jan 2024-03-04"]
    built.execute("update marts.fct_account_weeks set account_name = account_id")
    assert rows(built) == first


def test_an_account_that_turns_out_to_have_left_loses_its_rows(built: DbtWarehouse) -> None:
    built.load("accounts", *accounts("feb", created_at="2024-02-10 10:00Z", churned_at="2024-03-06 10:00Z"))
    mark(built)
    built.build(*WITH_HISTORY, week_from=WEEK, week_to=NEXT_WEEK, segment="pro")

    assert [row["account_id"] for row in rows(built)] == ["big", "feb", "jan", "big", "jan"]
    assert rows_marked(built) == ["big 2024-02-26", "big 2024-03-04"]


def test_an_account_that_turns_out_to_be_of_the_segment_is_replaced_too(built: DbtWarehouse) -> None:
    built.execute("update marts.fct_account_weeks set tier = 'starter' where account_id = 'big'")
    built.build_weeks(WEEK, NEXT_WEEK, segment="enterprise")

    assert built.column("select tier from marts.fct_account_weeks where account_id = 'big'") == ["enterprise"] * 2
