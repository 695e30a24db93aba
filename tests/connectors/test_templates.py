"""Every template: what it becomes is clean SQL, maps over the vendors' public seeds, and says the columns it states."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlfluff.core import FluffConfig, Linter

from cs_pipeline.connectors.catalogue import shipped_connectors
from cs_pipeline.connectors.connect import connect
from cs_pipeline.connectors.landed_schema import LandedColumn, LandedTable
from cs_pipeline.connectors.template import fill
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.connectors_file import Connector
from cs_pipeline.warehouse.contract import read_contract
from cs_pipeline.warehouse.mapping import CHANGED_AT, HELPERS, install_mappings
from tests.builders.landed import land, seeds_of

ROOT = Path(__file__).parents[2]
CONNECTORS = [each for each in shipped_connectors() if each.vendor != "rudderstack"]  # the same files as Segment's


class AllColumns(Mapping[str, LandedColumn]):
    """Every column there could be, as text, the worst that a tool lands."""

    def __getitem__(self, name: str) -> LandedColumn:
        return LandedColumn(name, "text")

    def __contains__(self, name: object) -> bool:
        return name != "_ab_cdc_deleted_at"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class AllTables(Mapping[str, LandedTable]):
    """A schema with every table there could be."""

    def __getitem__(self, name: str) -> LandedTable:
        return LandedTable(f"landed.{name}", AllColumns())

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(("exported", "feature_used"))  # tables of events

    def __len__(self) -> int:
        return 0


@pytest.mark.slow(seconds=5)
def test_what_is_written_is_clean_sql() -> None:
    linter = Linter(config=FluffConfig.from_path(str(ROOT), overrides={"templater": "raw"}))
    connector = Connector(schema="landed", account_id=("company.id",), currencies={"usd": 1.0, "eur": 1.08})  # pyright: ignore[reportCallIssue]
    found: list[str] = []
    for shipped in CONNECTORS:
        for table in shipped.tables:
            written = fill(shipped, table, AllTables(), connector).sql
            found += [
                f"{shipped.vendor}/{shipped.flavour}/{table}:{each.line_no}: {each.rule_code()} {each.desc()[:90]}"
                for each in linter.lint_string(written).get_violations()
            ]
    assert found == []


COLUMNS = {  # of every template, by vendor and table
    "hubspot": {
        "accounts": (
            "account_id account_name created_at industry employee_count country timezone owner_email "
            "parent_account_id _domain"
        ),
        "email_events": "email_event_id account_id email message_id event occurred_at campaign _email _changed_at",
        "tickets": "ticket_id account_id created_at priority first_responded_at resolved_at subject kind _email",
        "touchpoints": "touchpoint_id account_id kind scheduled_at held_at is_missed owner_email _email",
        "users": "user_id account_id email full_name created_at timezone unsubscribed_at _email",
    },
    "intercom": {
        "accounts": "account_id account_name created_at plan industry employee_count _domain",
        "tickets": (
            "ticket_id account_id user_id created_at priority first_responded_at resolved_at reopened_at "
            "csat csat_scale subject is_opened_by_us _email"
        ),
        "users": "user_id account_id email full_name created_at unsubscribed_at _email",
    },
    "mixpanel": {
        "events": "event_id account_id user_id occurred_at event_name feature page _email _changed_at",
    },
    "posthog": {
        "events": "event_id account_id user_id occurred_at event_name feature page _email _changed_at",
        "users": "user_id account_id email full_name created_at _email",
    },
    "recurly": {
        "accounts": "account_id account_name created_at churned_at country _domain",
        "cancellation_requests": "request_id account_id requested_at withdrawn_at reason",
        "invoices": "invoice_id account_id issued_on due_on amount paid_at",
        "subscriptions": (
            "subscription_id account_id product plan seats mrr started_on ended_on renews_on auto_renew "
            "billing_months is_trial _email"
        ),
    },
    "salesforce": {
        "accounts": (
            "account_id account_name created_at industry employee_count country owner_email manager_email "
            "parent_account_id _domain"
        ),
        "touchpoints": "touchpoint_id account_id kind scheduled_at held_at is_missed owner_email _email",
        "users": "user_id account_id email full_name created_at unsubscribed_at _email",
    },
    "segment": {
        "accounts": "account_id account_name created_at plan industry employee_count _domain",
        "events": (
            "event_id account_id user_id occurred_at event_name feature page quantity duration_seconds _loaded_at"
        ),
        "users": "user_id account_id email full_name created_at timezone _email",
    },
    "stripe": {
        "accounts": "account_id account_name created_at churned_at country _domain",
        "cancellation_requests": "request_id account_id requested_at withdrawn_at reason _email",
        "invoices": "invoice_id account_id issued_on due_on amount paid_at _email",
        "subscriptions": (
            "subscription_id account_id product plan tier seats mrr started_on ended_on renews_on auto_renew "
            "billing_months is_trial is_addon _email"
        ),
    },
    "zendesk": {
        "accounts": "account_id account_name created_at _domain",
        "support_agents": "agent_id full_name started_on ended_on",
        "tickets": (
            "ticket_id account_id user_id created_at priority opened_priority first_responded_at "
            "resolved_at reopened_at csat csat_scale subject kind is_opened_by_us merged_into _email"
        ),
        "users": "user_id account_id email full_name created_at _email",
    },
}
STATED = {
    vendor: {table: frozenset(names.split()) for table, names in tables.items()} for vendor, tables in COLUMNS.items()
}
SEEDS = {  # rows that the public seeds of each vendor give, by table; tables for which they have no rows are left out
    "hubspot": {"accounts": 24, "email_events": 97, "tickets": 25, "touchpoints": 101, "users": 22},
    "intercom": {"accounts": 9, "tickets": 2, "users": 0},
    "mixpanel": {"events": 3},
    "recurly": {"accounts": 4, "cancellation_requests": 2, "invoices": 5, "subscriptions": 4},
    "salesforce": {"accounts": 0, "touchpoints": 10, "users": 4},
    "segment": {"events": 1},
    "stripe": {"accounts": 11, "cancellation_requests": 2, "invoices": 2, "subscriptions": 2},
    "zendesk": {"accounts": 10, "support_agents": 1, "tickets": 8, "users": 9},
}


@pytest.mark.slow(seconds=6)
def test_every_template_maps_over_the_public_seeds(warehouse: Warehouse, shared_data: Path, tmp_path: Path) -> None:
    found: dict[str, dict[str, int]] = {}
    for shipped in CONNECTORS:
        seeds = shared_data / "connector_seeds" / shipped.vendor
        if shipped.flavour not in ("fivetran", "segment") or not seeds.is_dir():
            continue
        land(warehouse, shipped.vendor, seeds_of(shipped.vendor, seeds))
        folder = tmp_path / shipped.vendor
        connect(warehouse, shipped.vendor, shipped.flavour, shipped.vendor, folder)
        found[shipped.vendor] = {}
        for view in install_mappings(warehouse, folder, whole=False):
            with warehouse.session() as session, session.cursor() as cursor:
                cursor.execute(f"select * from {view.relation}")
                found[shipped.vendor][view.table] = cursor.rowcount
                columns = {column.name for column in cursor.description or ()}
            assert columns == STATED[shipped.vendor][view.table], f"{shipped.vendor}/{view.table}"
    assert found == SEEDS


def test_every_template_states_the_columns_that_its_table_needs_and_none_that_it_does_not_know() -> None:
    contract = read_contract().tables
    for shipped in CONNECTORS:
        for table in shipped.tables:
            stated = STATED[shipped.vendor][table] - {*HELPERS, CHANGED_AT}
            assert stated <= set(contract[table].column_names)
            needed = {column.name for column in contract[table].columns if column.required}
            assert needed <= stated, f"{shipped.vendor}/{shipped.flavour}/{table}"
