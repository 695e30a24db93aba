"""A company of a few accounts, put straight into the tables that plays read, so that a test can say what is so."""

import json
from datetime import UTC, date, datetime, timedelta
from textwrap import dedent

from psycopg2.extensions import connection as Session

from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS, WEEK_COLUMNS
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.citus import spread_marts
from tests.builders.kept_sessions import kept_session
from tests.waiting import wait_until

MONDAY = datetime(2025, 3, 10, 12, tzinfo=UTC)
WEEK = date(2025, 3, 3)  # the week that has just ended

_SQL_TYPES = {"number": "double precision", "text": "text", "boolean": "boolean", "date": "date"}

MARTS = f"""
create schema if not exists staging;
create schema if not exists marts;
create table staging.stg_accounts (account_id text primary key, created_at timestamptz, churned_at timestamptz);
create table staging.stg_email_events (
    account_id text, user_id text, email text, event text, occurred_at timestamptz
);
create table staging.stg_referrals (account_id text, referred_at timestamptz);
create table staging.stg_touchpoints (
    account_id text, kind text, held_at timestamptz, is_missed boolean, _loaded_at timestamptz
);
create table marts.dim_accounts (
    account_id text primary key, account_name text, created_at timestamptz, churned_at timestamptz, tier text,
    plan text,
    industry text, country text, timezone text, owner_email text, manager_email text, executive_email text,
    slack_channel text, is_bad_fit boolean, sales_goal text, mrr double precision, arr double precision, seats integer
);
create table marts.dim_contacts (
    account_id text, user_id text, email text, full_name text, role text, started_on date, ended_on date,
    unsubscribed_at timestamptz, deleted_at timestamptz, timezone text
);
create table staging.other_users (
    user_id text, account_id text, email text, full_name text, unsubscribed_at timestamptz, deleted_at timestamptz,
    timezone text
);
create view staging.stg_users as
select user_id, account_id, cs.address_of(email) as email, full_name, unsubscribed_at, deleted_at, timezone
from marts.dim_contacts
union all
select user_id, account_id, cs.address_of(email), full_name, unsubscribed_at, deleted_at, timezone
from staging.other_users;
create table marts.fct_subscription_terms (
    subscription_id text, account_id text, product text default '', mrr double precision, renews_on date,
    renews_every_months integer, renewal_type text, started_on date, ended_on date, successor_started_on date,
    successor_known_on date, is_addon boolean default false, is_trial boolean default false
);
create table marts.fct_account_weeks (
    account_id text, week date, account_name text, renewal_date date, renewal_type text,
    tier text, plan text, owner_email text, mrr double precision, arr double precision, seats double precision,
    is_bad_fit boolean,
    {", ".join(f"{column} {_SQL_TYPES[ACCOUNT_FACTS[column].type]}" for column in WEEK_COLUMNS)},
    primary key (account_id, week)
);
insert into cs.score_models (model, model_version, metrics, max_points, definition)
values ('weekly_points', 'v1', '{{}}', '{{}}', '{{}}');
"""


class Company:
    """Writes rows; every method is one row unless it says otherwise."""

    def __init__(self, warehouse: Warehouse, *, has_marts: bool = False) -> None:
        self.warehouse = warehouse
        if not has_marts:
            self.run(MARTS)
            spread_marts(warehouse)

    def run(self, sql: str, *parameters: object, session: Session | None = None) -> list[tuple]:
        """Run a statement (in a transaction of its own) and return its rows."""
        with (session or kept_session(self.warehouse)).cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def insert(self, table: str, **values: object) -> None:
        columns = ", ".join(values)
        places = ", ".join("%s" for _ in values)
        self.run(f"insert into {table} ({columns}) values ({places})", *values.values())

    def account(self, account_id: str, *, severity: int | None = None, **values: object) -> str:
        """An account with an owner and a point of contact, and a score where `severity` is given."""
        created_at = values.pop("created_at", MONDAY - timedelta(days=200))
        churned_at = values.pop("churned_at", None)
        self.insert("staging.stg_accounts", account_id=account_id, created_at=created_at, churned_at=churned_at)
        defaults: dict[str, object] = {
            "account_name": account_id.title(),
            "created_at": created_at,
            "churned_at": churned_at,
            "tier": "pro",
            "country": "DE",
            "timezone": "Europe/Berlin",
            "owner_email": "olga@ours.example",
            "manager_email": "max@ours.example",
            "is_bad_fit": False,
            "arr": 12_000.0,
        }
        self.insert("marts.dim_accounts", account_id=account_id, **defaults | values)
        self.contact(account_id, "ada", role="point_of_contact")
        if severity is not None:
            self.score(account_id, severity)
        return account_id

    def accounts(self, count: int, severity: int = 1) -> list[str]:
        """`count` accounts named a0, a1, …"""
        return [self.account(f"a{number}", severity=severity) for number in range(count)]

    def contact(self, account_id: str, name: str, role: str, **values: object) -> None:
        address = f"{name}@{account_id}.example"
        person = {"user_id": f"{account_id}-{name}", "email": address, "full_name": name.title()}
        self.insert("marts.dim_contacts", account_id=account_id, role=role, **person | values)

    def score(self, account_id: str, severity: int, week: date = WEEK) -> None:
        """The account's active score of a week, replacing the one there is."""
        self.run("delete from cs.health_scores where account_id = %s and week = %s", account_id, week)
        self.insert(
            "cs.health_scores",
            week=week,
            account_id=account_id,
            model="weekly_points",
            model_version="v1",
            is_active=True,
            status="scored",
            score=[90, 60, 45, 20][severity],
            band=["Green", "Yellow", "Yellow", "Red"][severity],
            severity=severity,
            coverage=1.0,
            metric_values=[],
            points=[],
            contributions=[],
            points_lost_to_cap=0.0,
        )

    def metrics(self, account_id: str, week: date = WEEK, **values: object) -> None:
        self.insert("marts.fct_account_weeks", account_id=account_id, week=week, **values)

    def term(self, subscription_id: str, account_id: str, renews_on: date | None, **values: object) -> None:
        self.insert(
            "marts.fct_subscription_terms",
            **{
                "subscription_id": subscription_id,
                "account_id": account_id,
                "renews_on": renews_on,
                "renewal_type": "auto",
                "successor_known_on": values.get("successor_started_on"),
            }
            | values,
        )

    def trigger(
        self,
        kind: str,
        account_id: str,
        *,
        key: str | None = None,
        subject_id: str | None = None,
        occurred_at: datetime = MONDAY,
        anchor_on: date | None = None,
        **facts: object,
    ) -> int:
        """A trigger; returns its id."""
        ((trigger_id,),) = self.run(
            """
            insert into cs.triggers (trigger_key, kind, account_id, subject_id, occurred_at, anchor_on, facts)
            values (%s, %s, %s, %s, %s, %s, %s) returning trigger_id
            """,
            key or f"{kind}:{account_id}:{occurred_at:%Y-%m-%d}:{subject_id}",
            kind,
            account_id,
            subject_id or account_id,
            occurred_at,
            anchor_on or occurred_at.date(),
            json.dumps(facts),
        )
        return trigger_id

    def fall(self, account_id: str, to_severity: int = 1, **values: object) -> int:
        """The score fell from healthy: the trigger of a save play."""
        score = {"from_severity": 0, "to_severity": to_severity, "from_score": 80.0, "to_score": 60.0}
        facts: dict[str, object] = {**score, "delta": -20.0, "cause": "behaviour"}
        return self.trigger("score_change", account_id, **facts | values)  # pyright: ignore[reportArgumentType]

    def written(self) -> list[tuple]:
        """Of every table of ours how many rows it has, and which transaction was the last to write one."""
        tables = self.column("select tablename from pg_tables where schemaname = 'cs' order by 1")
        return [
            row
            for name in tables
            for row in self.run(f"select '{name}', count(*), max(xmin::text::bigint) from cs.{name}")
        ]

    def column(self, sql: str, *parameters: object) -> list[object]:
        """The first column of the rows of `sql`."""
        return [row[0] for row in self.run(sql, *parameters)]

    def rows_read(self, *tables: str) -> int:
        """Rows of these tables of ours that were read so far, by whatever way. A session tells when it has ended."""
        others = (
            "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
            "and backend_type = 'client backend'"
        )
        wait_until("the end of other sessions", timedelta(minutes=1), lambda: not self.run(others))
        self.run("select pg_stat_force_next_flush()")
        ((rows,),) = self.run(
            "select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_user_tables "
            "where schemaname = 'cs' and relname = any(%s)",
            list(tables),
        )
        return int(rows)


def playbook(text: str) -> Playbook:
    """A playbook from YAML, without a file."""
    import yaml

    return Playbook.model_validate(yaml.safe_load(dedent(text)))


def save_play(**changes: object) -> Playbook:
    """A small save play: a mail at once, a task on day 2, a mail on day 5."""
    play = {
        "playbook": "yellow",
        "title": "Yellow",
        "description": "For tests.",
        "family": "save",
        "priority": 50,
        "trigger": {"kind": "score_change", "when": "to_severity == 1 and to_severity > from_severity"},
        "exit": [{"when": "severity == 0", "reason": "recovered"}],
        "steps": [
            {
                "step": "guide",
                "day": 0,
                "channel": "email",
                "to": "point_of_contact",
                "template": "t",
                "intent": "educate",
            },
            {"step": "check", "day": 2, "channel": "crm", "to": "owner", "template": "t", "intent": "inform"},
            {"step": "tip", "day": 5, "channel": "email", "to": "champion", "template": "t", "intent": "educate"},
        ],
    }
    return Playbook.model_validate(play | changes)
