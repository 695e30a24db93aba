"""Alert rules as dbt models: parameters by tier, and moments. Their unit tests run with those of all models."""

from tests.dbt.conftest import DbtWarehouse, accounts


def test_a_rule_is_asked_at_many_moments_with_parameters_by_tier(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.load("accounts", *accounts("a", "b", tier="pro"), *accounts("c", tier="enterprise"))
    dbt_warehouse.load(
        "invoices",
        *(
            {
                "invoice_id": f"i{name}",
                "account_id": name,
                "issued_on": "2024-02-01",
                "due_on": "2024-03-01",
                "amount": 5,
            }
            for name in "abc"
        ),
    )
    dbt_warehouse.build("--select", "+invoice_overdue", "--exclude-resource-type", "test")
    dbt_warehouse.execute("insert into cs.alert_parameters values ('invoice_overdue', 'enterprise', '{\"days\": 3}')")
    asked = """
        select account_id, as_of::date::text from (
            select set_config('cs_pipeline.moments', '2024-03-05T00:00Z,2024-03-12T00:00Z', false)
        ) as asked
        cross join lateral (select * from alerts.invoice_overdue offset 0 * length(asked.set_config)) as found
        order by 1, 2
    """
    found = [tuple(row.values()) for row in dbt_warehouse.rows(asked)]
    assert found == [("a", "2024-03-12"), ("b", "2024-03-12"), ("c", "2024-03-05"), ("c", "2024-03-12")]
