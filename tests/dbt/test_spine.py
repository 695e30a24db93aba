"""Accounts as they were at the end of a week: the same, however many weeks are built together."""

import random
from datetime import date, timedelta
from typing import Any

from tests.dbt.conftest import DbtWarehouse, accounts

WEEKS = [date(2024, 1, 1) + timedelta(weeks=number) for number in range(6)]
BUILT = """
    select
        account_id, week, tier, plan, owner_email, tenure_days, mrr, arr, seats, is_trial,
        renewal_date, renewal_type, is_renewal_overdue, lifecycle_stage
    from marts.fct_account_weeks order by week, account_id
"""


def untidy_subscriptions(chance: random.Random, account_ids: list[str]) -> list[dict[str, Any]]:
    """Periods that overlap, lapse, follow late, renew early, and start or end between the weeks."""

    def some_day(around: date, days: int) -> date | None:
        return chance.choice([None, around + timedelta(days=chance.randint(1, days))])

    return [
        {
            "subscription_id": f"s{number}",
            "account_id": chance.choice(account_ids),
            "product": chance.choice(["crm", "mail"]),
            "plan": f"plan {number % 4}",
            "tier": chance.choice(["starter", "pro", "enterprise"]),
            "seats": chance.choice([None, 5, 10]),
            "mrr": chance.choice([0.1, 0.2, 50]),
            "started_on": (start := date(2023, 11, 1) + timedelta(days=chance.randint(0, 110))),
            "ended_on": some_day(start, 60),
            "renews_on": some_day(start, 90),
            "auto_renew": chance.choice([None, True]),
            "is_trial": chance.random() < 0.2,
            "is_addon": chance.random() < 0.2,
        }
        for number in range(150)
    ]


def test_a_range_of_weeks_reads_as_each_week_alone(dbt_warehouse: DbtWarehouse) -> None:
    chance = random.Random(2024)
    account_ids = [f"a{number}" for number in range(40)]
    dbt_warehouse.load("accounts", *accounts(*account_ids, owner_email="first@example.com"))
    dbt_warehouse.load("accounts", *accounts("late", created_at="2024-01-22 09:00Z"))
    dbt_warehouse.load("accounts", *accounts("left", churned_at="2024-02-05 00:00Z"))
    dbt_warehouse.load("subscriptions", *untidy_subscriptions(chance, account_ids))
    history = ("--exclude", "tag:weekly", "tag:alerts", "tag:kpis", "--exclude-resource-type", "test")
    dbt_warehouse.build(*history, present="2024-01-10T06:00:00Z")
    dbt_warehouse.load("accounts", *accounts("a1", "a2", "a3", owner_email="second@example.com"))
    dbt_warehouse.build("--select", "accounts_snapshot", "int_accounts_today", present="2024-01-31T06:00:00Z")

    dbt_warehouse.build_weeks(str(WEEKS[0]), str(WEEKS[-1]))
    together = dbt_warehouse.rows(BUILT)
    dbt_warehouse.execute("truncate marts.fct_account_weeks")
    for week in WEEKS:
        dbt_warehouse.build_weeks(str(week))

    assert dbt_warehouse.rows(BUILT) == together
    assert {row["owner_email"] for row in together if row["account_id"] == "a1"} == {
        "first@example.com",
        "second@example.com",
    }
    assert any(row["is_renewal_overdue"] for row in together)
