"""Marts as small tables of a test's own, with the columns that history and renewals read."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from cs_pipeline.health.metrics import METRICS
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.citus import spread_marts
from tests.builders.kept_sessions import kept_session
from tests.builders.scored_accounts import HEALTHY

FIRST = date(2024, 1, 1)

Row = Mapping[str, object]


def week(number: int) -> date:
    """The Monday of the n-th week, from 0."""
    return FIRST + timedelta(weeks=number)


def create_marts(warehouse: Warehouse) -> None:
    metrics = ", ".join(f"{name} double precision" for name in METRICS)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            f"""
            create schema marts;
            create table marts.fct_account_weeks (
                account_id text not null, week date not null, tier text, cohort_month date, parent_account_id text,
                lifecycle_stage text, lifecycle_stage_five text, {metrics},
                primary key (week, account_id)
            );
            create table marts.dim_accounts (
                account_id text primary key, account_name text, owner_email text, arr double precision,
                churned_at timestamptz
            );
            create table marts.fct_subscription_terms (
                subscription_id text not null, account_id text not null, mrr double precision,
                started_on date not null, ended_on date, renews_on date, renewal_type text not null,
                is_trial boolean not null, is_addon boolean not null, renews_every_months integer,
                successor_started_on date, successor_known_on date, moved_on date, held_until date,
                primary key (account_id, subscription_id)
            );
            create table marts.fct_renewals (
                subscription_id text not null, renewal_date date not null, account_id text not null, tier text,
                mrr double precision not null, started_on date not null, outcome text not null, decided_on date,
                settled_on date, gone_on date, successor_known_on date,
                primary key (account_id, subscription_id, renewal_date)
            );
            """
        )
    spread_marts(warehouse)


def insert(warehouse: Warehouse, table: str, rows: Sequence[Row]) -> None:
    """Rows into a table of the marts; all have the columns of the first."""
    columns = ", ".join(rows[0])
    with kept_session(warehouse).cursor() as cursor:
        cursor.execute(
            f"insert into marts.{table} ({columns}) "
            f"select {columns} from json_populate_recordset(null::marts.{table}, %s)",
            [json.dumps(rows, default=str)],
        )


def add_account_week(
    warehouse: Warehouse,
    account: str,
    number: int,
    *,
    tier: str = "pro",
    cohort: date = date(2023, 5, 1),
    is_known: bool = True,
    **values: float | None,
) -> None:
    """An account in the n-th week, healthy (or wholly unknown) but for `values`, in place of what it had there."""
    remove_account_week(warehouse, account, number)
    row = {"account_id": account, "week": week(number), "tier": tier, "cohort_month": cohort}
    metrics = HEALTHY if is_known else dict.fromkeys(HEALTHY)
    insert(warehouse, "fct_account_weeks", [row | metrics | values])


def add_account(warehouse: Warehouse, account: str) -> None:
    """An account that is a customer."""
    insert(warehouse, "dim_accounts", [{"account_id": account, "account_name": account.title()}])


def remove_account_week(warehouse: Warehouse, account: str, number: int) -> None:
    with kept_session(warehouse).cursor() as cursor:
        cursor.execute(
            "delete from marts.fct_account_weeks where account_id = %s and week = %s", (account, week(number))
        )


def add_term(
    warehouse: Warehouse,
    subscription: str,
    *,
    started_on: date,
    renews_on: date | None,
    ended_on: date | None = None,
    successor_started_on: date | None = None,
    successor_known_on: date | None = None,
    moved_on: date | None = None,
    churned_at: str | None = None,
    renewal_type: str = "manual",
    is_trial: bool = False,
    is_addon: bool = False,
) -> None:
    """A subscription term of 100 a month, of an account `account-of-…` of its own; by itself it renews yearly."""
    account = f"account-of-{subscription}"
    insert(warehouse, "dim_accounts", [{"account_id": account, "churned_at": churned_at}])
    term = {
        "subscription_id": subscription,
        "account_id": account,
        "mrr": 100.0,
        "started_on": started_on,
        "ended_on": ended_on,
        "renews_on": renews_on,
        "renewal_type": renewal_type,
        "is_trial": is_trial,
        "is_addon": is_addon,
        "renews_every_months": 12 if renewal_type == "auto" else None,
        "successor_started_on": successor_started_on,
        "successor_known_on": successor_known_on or successor_started_on,
        "moved_on": moved_on,
        "held_until": successor_started_on or ended_on,
    }
    insert(warehouse, "fct_subscription_terms", [term])


def rows(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()
