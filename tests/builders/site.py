"""What the pages of the site show besides scores: alerts, a play with its actions, captured messages, hostile text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from starlette.testclient import TestClient

from cs_pipeline.alerts.live_scorecards import keep_scorecards
from cs_pipeline.alerts.scorecard import Scorecard
from cs_pipeline.backtest.measures import Interval
from cs_pipeline.channels.registry import KINDS
from cs_pipeline.clock import Clock
from cs_pipeline.kpis.library import load_kpis
from cs_pipeline.kpis.sync import sync_definitions
from cs_pipeline.plays.enrolment.manual import start
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.triggers.manual import Ask
from cs_pipeline.settings import Settings
from cs_pipeline.site.application import site_app
from cs_pipeline.site.database import PooledWarehouse
from cs_pipeline.site.page import Page
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.alerts import fire
from tests.builders.sample_history import History

HOSTILE = "<script>alert('ö')</script>&\"''"
ACTOR = "olga@ours.example"
HEADER = "X-Test-User"


CARD = Scorecard(
    rule="invoice_overdue",
    version="v1",
    first=date(2024, 1, 1),
    last=date(2024, 12, 31),
    event="churn_or_contraction",
    lead_days=14,
    within_days=90,
    fired=50,
    baseline=2,
    censored=6,
    counted=44,
    followed=20,
    precision=Interval(20 / 44, 0.32, 0.6),
    base_rate=0.1,
    lift=Interval(4.5, 2.1, 7.25),
    outcomes=30,
    recall=Interval(0.5, 0.33, 0.67),
    recall_alone=0.1,
    median_lead_days=21.0,
    reset_days=9.0,
    hours_to_acknowledge=3.5,
    put_off=0.0,
    touched=0.5,
    verdict="keep",
)


@dataclass(frozen=True)
class Sample:
    """A scored company with something to show on each page; `accounts` are its ids, the one with most first."""

    history: History
    accounts: tuple[str, ...]

    @property
    def settings(self) -> Settings:
        """Settings of the history, with a proxy's header that says who asks."""
        return self.history.settings

    @property
    def warehouse(self) -> Warehouse:
        """The database."""
        return self.history.warehouse

    @property
    def now(self) -> datetime:
        """The present of its clock."""
        return Clock(self.settings.now).now()

    @property
    def today(self) -> date:
        """The day of its clock."""
        return self.now.date()

    @property
    def account(self) -> str:
        """The account that has something of everything, and a hostile name."""
        return self.accounts[0]

    def examples(self, page: Page) -> list[str]:
        """Addresses at which a page can be tried."""
        if page.examples is None:
            return [page.path]
        with self.warehouse.session() as session:
            return page.examples(session)


def fill(history: History) -> Sample:
    """Add to a scored history what plays, alerts and people would leave behind."""
    now = Clock(history.settings.now).now()
    with history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "select account_id from marts.dim_accounts where churned_at is null and created_at < %s "
            "order by arr desc nulls last, account_id limit 6",
            [now],
        )
        accounts = tuple(account for (account,) in cursor.fetchall())
        for table in ("raw.accounts", "marts.fct_account_weeks"):
            cursor.execute(f"update {table} set account_name = %s where account_id = %s", [HOSTILE, accounts[0]])
    _fill_alerts(history.warehouse, accounts[0], now)
    _fill_kpis(history.warehouse, now)
    for account, rule, severity in zip(
        accounts, ("critical_ticket_open", "no_login", "seats_unused"), ("urgent", "high", "medium"), strict=False
    ):
        facts: Mapping[str, Any] = {"subject": HOSTILE}
        fire(history.warehouse, rule, account, "", severity=severity, facts=dict(facts), fired_at=now)
    manual = next(playbook for playbook in load_playbooks(None).values() if playbook.trigger.kind == "manual")
    start(history.warehouse, manual, accounts[:3], Ask("the tests", HOSTILE), history.settings, now)
    with history.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.captured_messages (
                action_key, channel, recipient, subject, body_html, body_text, payload, path, captured_at
            )
            select action_key, 'email', 'ada@customer.example', %s, '', '', '{}', 'x/y.html', %s
            from cs.actions
            order by action_id
            limit 2
            """,
            [HOSTILE, now],
        )
        cursor.execute(
            """
            insert into raw.raw_rejects (load_id, source_table, origin, line, column_name, reason, row_data)
            select min(load_id), 'tickets', %(hostile)s, 7, 'priority', %(hostile)s, %(row)s from cs.loads
            """,
            {"hostile": HOSTILE, "row": json.dumps({"priority": HOSTILE})},
        )
    assert "email" in KINDS
    return Sample(history, accounts)


def _fill_alerts(warehouse: Warehouse, account: str, now: datetime) -> None:
    """Alerts in each of their states, one that somebody was told of, and a scorecard."""
    rows = [{"account": HOSTILE, "signups": 3}, {"account": "Acme", "signups": 4}]
    fire(warehouse, "signups_low", "", "", facts={"rows": rows}, fired_at=now)
    over = {"state": "closed", "cause": "dismissed", "ended_at": now}
    fire(warehouse, "invoice_overdue", account, HOSTILE, fired_at=now, **over)
    fire(warehouse, "invoice_overdue", account, "inv-2", fired_at=now, is_held=True)
    told = fire(warehouse, "renewal_without_qbr", account, "", fired_at=now, reopened=1)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            with notice as (
                insert into cs.notices (notice_key, subject, body, created_at)
                values ('alerts/x', %(hostile)s, '', %(now)s)
                returning notice_id
            )
            insert into cs.alert_notifications (
                alert_id, rule, account_id, fired_at, kind, nth, recipient, role, created_at, is_in_digest, due_at,
                notice_id, dropped
            )
            select
                %(alert)s, 'renewal_without_qbr', %(account)s, %(now)s, told.kind, 1, %(hostile)s, 'owner', %(now)s,
                true, %(now)s, case when told.kind = 'new' then notice.notice_id end,
                case when told.kind = 'reminder' then 'acknowledged' end
            from notice, unnest(array['new', 'reminder', 'escalation']) as told (kind)
            """,
            {"alert": told, "account": account, "now": now, "hostile": HOSTILE},
        )
        cursor.execute(
            "insert into cs.alert_evaluations (rule, as_of, version, health, clock, error, evaluated_at) "
            "values ('invoice_overdue', %(now)s, 'v1', 'error', 0, %(hostile)s, %(now)s) "
            "on conflict (rule, as_of) do update set health = excluded.health, error = excluded.error",
            {"now": now, "hostile": HOSTILE},
        )
    keep_scorecards(warehouse, [CARD], now)


def _fill_kpis(warehouse: Warehouse, now: datetime) -> None:
    """Fifteen months of KPIs up to the present one, of the whole and of two tiers; retention is below its target."""
    with warehouse.session() as session, session.cursor() as cursor:
        sync_definitions(session, load_kpis(None))
        cursor.execute(
            """
            create table marts.fct_kpis as
            select
                definitions.kpi,
                months.month::date as month,
                least((months.month + interval '1 month')::date - 1, %(now)s::date) as as_of_day,
                definitions.window_months,
                parts.kind as segment_kind,
                parts.part as segment,
                definitions.basis,
                case when definitions.unit = 'money' then 1000.0 else 80.0 end + parts.less as numerator,
                case when definitions.unit <> 'money' then 100.0::double precision end as denominator,
                case when definitions.unit = 'money' then 1000.0 else 0.8::double precision end + parts.less
                + 0.001 * extract(month from months.month)::double precision as value,
                100::bigint as n,
                case when definitions.unit <> 'money' then 0.7::double precision end as low,
                case when definitions.unit <> 'money' then 0.99::double precision end as high,
                definitions.target,
                case when definitions.target is not null then definitions.kpi <> 'grr' end as meets_target,
                months.month < date_trunc('month', %(now)s at time zone 'UTC') as is_complete,
                definitions.version as definition_version
            from cs.kpi_definitions as definitions
            cross join generate_series(
                date_trunc('month', %(now)s at time zone 'UTC') - interval '14 months',
                date_trunc('month', %(now)s at time zone 'UTC'),
                interval '1 month'
            ) as months (month)
            cross join (
                values ('all', 'all', 0.0::double precision), ('tier', 'pro', -0.05), ('tier', %(hostile)s, -0.1)
            ) as parts (kind, part, less)
            """,
            {"now": now, "hostile": HOSTILE},
        )
        cursor.execute(
            """
            create table marts.fct_mrr_bridge as
            select
                month, segment_kind, segment, is_complete, 900.0::double precision as opening_mrr,
                150.0::double precision as new, 0.0::double precision as reactivation,
                40.0::double precision as expansion, -30.0::double precision as contraction,
                -50.0::double precision as churn, 20.0::double precision as moved_in,
                30.0::double precision as moved_out, 1000.0::double precision as closing_mrr
            from marts.fct_kpis
            where kpi = 'mrr'
            """
        )


def client_of(sample: Sample, *, acts: bool = False, **changes: Any) -> TestClient:
    """A browser at the site; `acts` when the team's proxy says who it is. `changes`: settings."""
    settings = sample.settings.model_copy(update={"site_user_header": HEADER, **changes} if acts else changes)
    app = site_app(settings, PooledWarehouse(sample.warehouse.url), Clock(settings.now))
    client = TestClient(app, base_url="http://127.0.0.1:3001", client=("127.0.0.1", 50_000), follow_redirects=False)
    if acts:
        client.headers[HEADER] = ACTOR
    return client


def copied(sample: Sample, warehouse: Warehouse) -> Sample:
    """The same on a copy of its database, which a test may change."""
    return replace(sample, history=replace(sample.history, warehouse=warehouse))
