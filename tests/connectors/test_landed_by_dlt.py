"""HubSpot and Stripe as dlt itself lands them: the answers of their interfaces, in the tables that its verified sources
hubspot and stripe_analytics name.
"""

from pathlib import Path
from typing import Any

import pytest

from cs_pipeline.connectors.connect import connect
from cs_pipeline.warehouse.connection import Warehouse
from tests.connectors.conftest import rows_of_mappings
from tests.connectors.test_vendors import column

dlt = pytest.importorskip("dlt", reason="dlt is not installed: the extra `ingest` brings it")

Landed = dict[str, list[dict[str, Any]]]

HUBSPOT: Landed = {
    "companies": [
        {
            "id": "1", "hs_object_id": "1", "name": "Acme", "createdate": "2024-01-01T00:00:00Z", "account_id": "a",
            "domain": "acme.example", "hubspot_owner_id": "7", "lifecyclestage": "customer",
            "tickets": [{"value": "1", "tickets_id": "8"}],
        },
        {"id": "2", "hs_object_id": "2", "name": "B", "createdate": "2024-01-01T00:00:00Z", "lifecyclestage": "lead"},
    ],
    "contacts": [
        {
            "id": "5", "hs_object_id": "5", "email": "ann@acme.example", "firstname": "Ann", "lastname": "Arbor",
            "createdate": "2024-01-02T00:00:00Z", "lastmodifieddate": "2024-04-01T00:00:00Z",
            "associatedcompanyid": 1.0, "hs_email_optout": True, "tickets": [{"value": "5", "tickets_id": "8"}],
        }
    ],
    "tickets": [
        {
            "id": "8", "createdate": "2024-03-01T00:00:00Z", "hs_ticket_priority": "HIGH", "subject": "Hi",
            "hs_ticket_category": "FEATURE_REQUEST", "closed_date": "2024-03-03T00:00:00Z",
        }
    ],
    "owners": [{"id": "7", "email": "csm@us.example", "firstName": "Cy", "userId": 70, "archived": False}],
}  # fmt: skip
JANUARY, FEBRUARY, MARCH = 1704067200, 1706745600, 1709251200


def _line(number: int, start: int, end: int) -> dict[str, Any]:
    return {
        "id": f"il_{number}", "object": "line_item", "amount": 5000, "currency": "usd", "quantity": 5,
        "period": {"start": start, "end": end}, "plan": {"id": "p"}, "price": {"id": "p"}, "proration": False,
        "subscription": "sub", "subscription_item": "si", "type": "subscription", "livemode": True,
    }  # fmt: skip


STRIPE: Landed = {
    "Customer": [
        {
            "id": "cus", "name": "Acme", "email": "a@acme.example", "created": JANUARY, "livemode": True,
            "metadata": {"account_id": "a"}, "address": {"country": "FR"},
        }
    ],
    "Product": [{"id": "prod", "name": "Suite", "metadata": {"tier": "pro", "is_addon": "false"}}],
    "Price": [
        {
            "id": "p", "unit_amount": 1000, "currency": "usd", "product": "prod", "nickname": "Seat",
            "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
        }
    ],
    "Subscription": [
        {
            "id": "sub", "customer": "cus", "status": "active", "livemode": True, "cancel_at_period_end": True,
            "canceled_at": FEBRUARY, "current_period_start": FEBRUARY, "current_period_end": MARCH,
            "cancellation_details": {"comment": None, "feedback": "too_expensive", "reason": "cancellation_requested"},
            "items": {"data": [{"id": "si", "subscription": "sub", "quantity": 5, "price": {"id": "p"}}]},
        }
    ],
    "Invoice": [
        {
            "id": "in", "customer": "cus", "currency": "usd", "status": "paid", "created": JANUARY, "livemode": True,
            "amount_due": 5000, "status_transitions": {"paid_at": FEBRUARY, "finalized_at": JANUARY},
            "lines": {"data": [_line(1, JANUARY, FEBRUARY), _line(2, FEBRUARY, MARCH)], "has_more": False},
        }
    ],
}  # fmt: skip


def landed(
    warehouse: Warehouse, folder: Path, vendor: str, tables: Landed, monkeypatch: pytest.MonkeyPatch
) -> dict[str, list[dict[str, Any]]]:
    """What the templates make of what dlt lands, by table."""
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    pipeline = dlt.pipeline(
        vendor,
        pipelines_dir=str(folder.parent / "dlt"),
        destination=dlt.destinations.postgres(warehouse.url),
        dataset_name=vendor,
    )
    pipeline.run([dlt.resource(rows, name=name) for name, rows in tables.items()])
    connect(warehouse, vendor, "dlt", vendor, folder)
    return rows_of_mappings(warehouse, folder)


def test_hubspot(warehouse: Warehouse, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = landed(warehouse, folder, "hubspot", HUBSPOT, monkeypatch)
    assert column(found["accounts"], "account_id", "account_name", "owner_email", "_domain") == [
        ("a", "Acme", "csm@us.example", "acme.example")
    ]
    assert column(found["users"], "user_id", "account_id", "full_name", "unsubscribed_at") == [
        ("hubspot:5", "a", "Ann Arbor", "04-01 00:00")
    ]
    assert column(found["tickets"], "ticket_id", "account_id", "priority", "kind", "resolved_at", "_email") == [
        ("hubspot:8", "a", "high", "feature_request", "03-03 00:00", "ann@acme.example")
    ]
    assert set(found) == {"accounts", "users", "tickets"}, "dlt's source reads no meetings, calls or mails"


def test_stripe(warehouse: Warehouse, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = landed(warehouse, folder, "stripe", STRIPE, monkeypatch)
    assert column(found["accounts"], "account_id", "country", "created_at", "_domain") == [
        ("a", "FR", "01-01 00:00", "acme.example")
    ]
    ((period),) = found["subscriptions"]
    assert (period["account_id"], period["seats"], period["mrr"], period["tier"], period["product"]) == (
        "a", "5", 50.0, "pro", "Suite",
    )  # fmt: skip
    assert (f"{period['started_on']}", f"{period['ended_on']}") == ("2024-01-01", "2024-03-01")
    assert column(found["invoices"], "invoice_id", "account_id", "amount", "paid_at") == [
        ("in", "a", 50.0, "02-01 00:00")
    ]
    assert column(found["cancellation_requests"], "account_id", "requested_at", "withdrawn_at", "reason") == [
        ("a", "02-01 00:00", None, "too_expensive")
    ]
