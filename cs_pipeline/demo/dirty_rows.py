"""Rows that break the source contract, a known handful, so that a demo shows what becomes of them.

Each breaks one rule. They stand at the end of the first block's tables, most long ago, the last two in the last weeks.
"""

from datetime import timedelta
from typing import Any

import pyarrow as pa

from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.tables import schemas
from cs_pipeline.demo.truth import REJECTS_SCHEMA
from cs_pipeline.warehouse.contract import read_contract

NOBODY = "acc-nobody"


def dirty_rows(company: SampleCompany, account: str, user: str) -> dict[str, list[tuple[dict[str, Any], str, str]]]:
    """By table: (row, column at fault, what is wrong with it). account, user: keys that exist."""
    long_ago = company.ends_at - timedelta(weeks=company.weeks - 1)
    lately = company.ends_at - timedelta(days=9)
    rows: dict[str, list[tuple[dict[str, Any], str, str]]] = {
        "accounts": [
            (
                {"account_id": "acc-broken-1", "created_at": long_ago, "timezone": "Europe/Athens"},
                "account_name", "missing",
            ),
        ],
        "users": [
            (
                {"user_id": "usr-broken-1", "account_id": account, "email": "info@example.com"},
                "created_at", "missing",
            ),
            (
                {"user_id": "usr-broken-2", "account_id": NOBODY, "email": "lost@example.com",
                 "created_at": long_ago},
                "account_id", "no such account",
            ),
        ],
        "subscriptions": [
            (
                {"subscription_id": "sub-broken-1", "account_id": account, "mrr": -49.0,
                 "started_on": long_ago.date()},
                "mrr", "below its minimum",
            ),
        ],
        "events": [
            ({"event_id": "broken-1", "occurred_at": long_ago, "event_name": "login"}, "account_id", "missing"),
        ],
        "survey_responses": [
            (
                {"response_id": "srv-broken-1", "account_id": account, "user_id": user, "survey": "nps",
                 "score": -1.0, "scale_max": 10.0, "responded_at": long_ago},
                "score", "below its minimum",
            ),
        ],
        "tickets": [
            (
                {"ticket_id": "tic-broken-1", "account_id": account, "user_id": user, "created_at": lately,
                 "resolved_at": lately + timedelta(hours=2), "priority": "p0"},
                "priority", "not one of the accepted values",
            ),
        ],
        "invoices": [
            (
                {"invoice_id": "inv-broken-1", "account_id": account, "issued_on": lately.date(), "amount": 120.0},
                "due_on", "missing",
            ),
        ],
    }  # fmt: skip
    return rows


def with_dirty_rows(
    company: SampleCompany, tables: dict[str, pa.Table], account: str, user: str
) -> tuple[dict[str, pa.Table], pa.Table]:
    """`tables` with the broken rows at their ends, and the truth about those."""
    truth: list[dict[str, Any]] = []
    dirty = dict(tables)
    for name, broken in dirty_rows(company, account, user).items():
        (key,) = read_contract().tables[name].key
        added = pa.Table.from_pylist([row for row, _, _ in broken], schema=schemas()[name])
        dirty[name] = pa.concat_tables([tables[name], added.cast(tables[name].schema)])
        truth += [
            {"source_table": name, "row_key": row[key], "column_name": column, "defect": defect}
            for row, column, defect in broken
        ]
    return dirty, pa.Table.from_pylist(truth, schema=REJECTS_SCHEMA)
