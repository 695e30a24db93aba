"""Alert rules over a history of a test's own: what each rule finds of whom, from one moment to another."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from psycopg2.extras import execute_values

from cs_pipeline.alerts.rule import Parameter
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.alert_rules import START, rule
from tests.builders.kept_sessions import kept_session, run

DAY = timedelta(days=1)

VIEW = """
create view alerts.{name} as
select
    asked.moment::timestamptz as as_of,
    history.account_id,
    history.entity,
    extract(epoch from asked.moment::timestamptz - history.held_from) / 86400 as measured,
    parameters.days as held_against,
    jsonb_build_object('from', history.held_from::date) as facts
from unnest(string_to_array(current_setting('cs_pipeline.moments', true), ',')) as asked (moment)
cross join (
    select coalesce(
        (nullif(current_setting('cs_pipeline.alert_parameters', true), '')::jsonb #>> '{{{name},"",days}}'),
        (select stored.parameters ->> 'days' from cs.alert_parameters as stored where rule = '{name}' and tier = ''),
        '0'
    )::double precision as days
) as parameters
inner join history
    on
        history.rule = '{name}'
        and asked.moment::timestamptz >= history.held_from + parameters.days * interval '1 day'
        and asked.moment::timestamptz < history.held_until
"""
TABLES = """
create schema alerts;
create schema staging;
create table history (
    rule text, account_id text, entity text, held_from timestamptz, held_until timestamptz
);
create table staging.stg_accounts (account_id text, created_at timestamptz, churned_at timestamptz);
create table staging.stg_tickets (created_at timestamptz, _loaded_at timestamptz);
create table staging.stg_touchpoints (account_id text, held_at timestamptz)
"""


def lasting(name: str = "idle", **meta: object) -> Rule:
    """A rule with the parameter `days`: how long something must have held for the rule to find it; 0 by itself."""
    plain = rule(name, **meta)
    alert = plain.alert.model_copy(update={"parameters": {"days": Parameter(meaning="Days", minimum=0)}})
    tiers = ("", "starter", "pro", "enterprise")
    return replace(plain, alert=alert, defaults={"days": 0}, parameters={tier: {"days": 0} for tier in tiers})


class AlertHistory:
    """What rules find, in a warehouse. Days are counted from START."""

    def __init__(self, warehouse: Warehouse, rules: Iterable[Rule]) -> None:
        self.warehouse = warehouse
        self.rules: Mapping[str, Rule] = {each.name: each for each in rules}
        self.run(TABLES)
        for name in self.rules:
            self.run(VIEW.format(name=name))

    def holds(self, account: str, first: float, until: float, *, rule: str = "idle", entity: str = "") -> None:
        """From day `first` to before day `until` the rule finds the account."""
        self.insert("history", [(rule, account, entity or account, day(first), day(until))])

    def account(self, account: str, signed_up: float = -100, left: float | None = None) -> None:
        """An account of the book."""
        self.insert("staging.stg_accounts", [(account, day(signed_up), None if left is None else day(left))])

    def insert(self, table: str, rows: list[tuple[object, ...]]) -> None:
        with kept_session(self.warehouse).cursor() as cursor:
            execute_values(cursor, f"insert into {table} values %s", rows)

    def run(self, sql: str, *parameters: object) -> list[tuple]:
        return run(self.warehouse, sql, *parameters)


def day(number: float) -> datetime:
    """A moment so many days after START, a Monday at 06:00 UTC."""
    return START + number * DAY
