"""Loaded rows say by whom no mail is wanted, in every spelling; a batch of addresses is found by indexes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.dbt.conftest import DbtWarehouse, accounts

NOW = datetime(2025, 4, 7, tzinfo=UTC)
SAID = "2025-04-05 12:00Z"


def user(user_id: str, email: str, **values: Any) -> dict[str, Any]:
    return {"user_id": user_id, "account_id": "a", "email": email, "created_at": "2025-04-04", **values}


def event(number: int, what: str, **values: Any) -> dict[str, Any]:
    return {
        "email_event_id": f"e{number}",
        "account_id": "a",
        "message_id": f"m{number}",
        "event": what,
        "occurred_at": SAID,
        **values,
    }


def refused(dbt_warehouse: DbtWarehouse, *addresses: str) -> list[tuple[str, str, str]]:
    with dbt_warehouse.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "select given, reason, source from cs.refused_addresses(%s, %s) order by 1, 2, 3", [list(addresses), NOW]
        )
        return cursor.fetchall()


def test_what_was_loaded_counts_at_once_in_every_spelling(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.load("accounts", *accounts("a", "b"))
    dbt_warehouse.load("users", user("u1", "Kim@Shared.example"), user("u2", "not an address", unsubscribed_at=SAID))
    dbt_warehouse.build("--select", "stg_users", "stg_email_events")
    assert refused(dbt_warehouse, "kim@shared.example") == []
    dbt_warehouse.load("users", user("u3", " KIM@shared.example.", account_id="b", unsubscribed_at=SAID))
    assert refused(dbt_warehouse, "kim@shared.example", "Ada <ada@x.example>") == [
        ("kim@shared.example", "unsubscribed", "users")
    ]
    dbt_warehouse.load("email_events", event(1, "bounce", user_id="u1"), event(2, "spam", email="ADA@X.example"))
    dbt_warehouse.build("--select", "stg_users", "stg_email_events")  # the table is there now
    assert refused(dbt_warehouse, "kim@shared.example", "Ada <ada@x.example>") == [
        ("Ada <ada@x.example>", "spam", "email_events"),
        ("kim@shared.example", "bounced", "email_events"),
        ("kim@shared.example", "unsubscribed", "users"),
    ]


@pytest.mark.one_server("its servers log their plans themselves")
def test_a_batch_of_addresses_reads_no_whole_table(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.load("accounts", *accounts("a"))
    dbt_warehouse.load("users", user("u1", "u1@x.example"))
    dbt_warehouse.load("email_events", event(1, "bounce", user_id="u1"))
    dbt_warehouse.build("--select", "stg_users", "stg_email_events")
    dbt_warehouse.execute(
        """
        insert into raw.users (user_id, account_id, email, created_at, _load_id)
        select 'n' || n, 'a', 'n' || n || '@x.example', now(), 1 from generate_series(1, 20000) as n;
        insert into raw.email_events (email_event_id, account_id, user_id, message_id, event, occurred_at, _load_id)
        select 'n' || n, 'a', 'n' || n, 'm', case n % 10 when 0 then 'unsubscribe' else 'open' end, now(), 1
        from generate_series(1, 20000) as n;
        insert into cs.suppressions
        select 'n' || n || '@y.example', 'bounced', 'sendgrid', now() from generate_series(1, 20000) as n;
        analyze raw.users; analyze raw.email_events; analyze cs.suppressions;
        """
    )
    with dbt_warehouse.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "load 'auto_explain'; set auto_explain.log_nested_statements = on; set client_min_messages = log"
        )
        cursor.execute("set auto_explain.log_min_duration = 0")
        cursor.execute("select * from cs.refused_addresses(%s, %s)", [[f"n{n}@x.example" for n in range(200)], NOW])
        plans = "\n".join(session.notices)
    assert "users_by_mailbox" in plans, plans
    assert not [line for line in plans.splitlines() if "Seq Scan on" in line and "actions" not in line], plans
