"""Alert rules as dbt models: parameters by tier, moments, what was true then. Their unit tests run with all models'."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.dbt.conftest import DbtWarehouse, accounts


def test_a_rule_is_asked_at_many_moments_with_parameters_by_the_tier_that_an_account_had_then(
    dbt_warehouse: DbtWarehouse,
) -> None:
    dbt_warehouse.load("accounts", *accounts("a", "b", "moved up", tier="pro"))
    dbt_warehouse.load("accounts", *accounts("c", "moved down", tier="enterprise"))
    dbt_warehouse.load(
        "invoices",
        *(
            {
                "invoice_id": f"of {name}",
                "account_id": name,
                "issued_on": "2024-02-01",
                "due_on": "2024-03-01",
                "amount": 5,
            }
            for name in ("a", "b", "c", "moved up", "moved down")
        ),
    )
    dbt_warehouse.build("--select", "accounts_snapshot", "+accounts_snapshot", present="2024-03-04 06:00")
    dbt_warehouse.load("accounts", *accounts("moved up", tier="enterprise"), *accounts("moved down", tier="pro"))
    build = ("--select", "+invoice_overdue", "--exclude-resource-type", "test")
    dbt_warehouse.build(*build, present="2024-03-11 06:00")
    dbt_warehouse.execute("insert into cs.alert_parameters values ('invoice_overdue', 'enterprise', '{\"days\": 3}')")
    moments = ("2024-03-05T00:00Z", "2024-03-12T00:00Z")
    assert dbt_warehouse.asked("invoice_overdue", "account_id, as_of::date::text", *moments) == [
        ("a", "2024-03-12"),
        ("b", "2024-03-12"),
        ("c", "2024-03-05"),
        ("c", "2024-03-12"),
        ("moved down", "2024-03-05"),
        ("moved down", "2024-03-12"),
        ("moved up", "2024-03-12"),
    ]


@pytest.mark.requirement("S1-07")
def test_a_user_who_went_on_was_stuck_before(dbt_warehouse: DbtWarehouse) -> None:
    now = datetime.now(UTC)
    user = {"account_id": "a", "created_at": (now - timedelta(days=3)).isoformat()}
    dbt_warehouse.load("accounts", *accounts("a"))
    dbt_warehouse.load(
        "users", *({**user, "user_id": name, "onboarding_stage": "Step 2"} for name in ("went on", "as was"))
    )
    dbt_warehouse.build("--select", "+onboarding_step_stuck_user", "--exclude-resource-type", "test")
    dbt_warehouse.load("users", {**user, "user_id": "went on", "onboarding_stage": "Step 3"})
    then, later = ((now + timedelta(hours=hours)).isoformat() for hours in (-1, 1))
    stuck = ("onboarding_step_stuck_user", "entity, facts ->> 'stage'")
    assert dbt_warehouse.asked(*stuck, then) == [("as was", "Step 2"), ("went on", "Step 2")]
    assert dbt_warehouse.asked(*stuck, later) == [("as was", "Step 2")]
