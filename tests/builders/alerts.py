"""Alerts as rules and decisions leave them, and views of shipped rules that find what a test says."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.company import MONDAY, Company

FIRED = MONDAY.replace(hour=6)


def fire(
    warehouse: Warehouse,
    rule: str,
    account: str,
    entity: str,
    *,
    state: str = "firing",
    severity: str = "high",
    measured: float | None = 1,
    held_against: float | None = 10,
    facts: dict[str, object] | None = None,
    fired_at: datetime = FIRED,
    **others: object,
) -> int:
    """Write an alert, and its change to `state`; returns its id. `others`: columns of cs.alerts."""
    row = {
        "rule": rule, "account_id": account, "entity": entity, "state": state, "version": "v1", "severity": severity,
        "since": fired_at, "since_clock": 0, "seen_at": fired_at, "fired_at": None if state == "pending" else fired_at,
        "measured": measured, "held_against": held_against, "facts": json.dumps(facts or {}), **others,
    }  # fmt: skip
    columns = ", ".join(row)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            f"insert into cs.alerts ({columns}) values ({', '.join(f'%({name})s' for name in row)}) returning alert_id",
            row,
        )
        (alert,) = cursor.fetchone() or (0,)
        cursor.execute(
            "insert into cs.alert_changes (alert_id, rule, account_id, entity, as_of, to_state, version, measured) "
            "values (%s, %s, %s, %s, %s, %s, 'v1', %s)",
            [alert, rule, account, entity, fired_at, state, measured],
        )
    return int(alert)


def view_of(
    company: Company,
    rule: str,
    found: Sequence[tuple[str, str, float]],
    invoices_at: datetime = MONDAY - timedelta(days=1),
) -> None:
    """The view of a rule, which finds (account, entity, measured) until it is told otherwise; invoices came in then."""
    with company.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("create schema if not exists alerts")
        cursor.execute(
            "create table if not exists public.found_by_rules "
            "(rule text, account_id text, entity text, measured double precision)"
        )
        cursor.execute("delete from public.found_by_rules where rule = %s", [rule])
        cursor.executemany("insert into public.found_by_rules values (%s, %s, %s, %s)", [(rule, *row) for row in found])
        cursor.execute(
            f"""
            create or replace view alerts.{rule} as
            select
                cast(moment as timestamptz) as as_of, found.account_id, found.entity, found.measured,
                10::double precision as held_against, '{{}}'::jsonb as facts
            from unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) as moments (moment)
            cross join public.found_by_rules as found
            where found.rule = '{rule}'
            """
        )
        cursor.execute("create table if not exists staging.stg_invoices (issued_on date, _loaded_at timestamptz)")
        cursor.execute("insert into staging.stg_invoices values (%s, %s)", [invoices_at.date(), invoices_at])
