"""A day of a customer-success manager: alerts nobody looks after, tasks due, actions to approve, and the work queue.

Of one owner, or of all. Of alerts the urgent and high ones are shown; lesser ones, and those that held before their
rule was first asked, are counted only: they are hundreds, and no work for today. Reads only; every list is bounded, and
says how many there are besides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.reports.alerts.text import what_of
from cs_pipeline.reports.plays.work_queue import RISK_UNKNOWN, work_queue, work_queue_table
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.relations import missing_relations
from cs_pipeline.warehouse.rows import read_rows

SHOWN = 12
PRESSING = ("urgent", "high")
"""Severities of alerts that are work for today."""
SOON = timedelta(days=7)
COUNTS = ("alerts", "lesser_alerts", "baseline_alerts", "tasks", "approvals", "at_risk", "renewals")
Row = dict[str, Any]


@dataclass(frozen=True)
class Today:
    """What there is to do.

    `counts` by list, up to 1,000; besides lesser_alerts, baseline_alerts, at_risk and renewals. `alerts`: the pressing
    ones, as alert_id, rule, severity, what, account_id, account_name, arr, fired_at. `tasks`: task_id, kind,
    title, account_id, account_name, assignee, due_on, priority. `approvals`: action_id, playbook, step, channel, role,
    recipient, account_id, account_name, due_at. `queue`: rows of `work_queue_table`, and score, severity, band_name,
    open_alerts and first_alert.
    """

    counts: Mapping[str, int]
    alerts: list[Row]
    tasks: list[Row]
    approvals: list[Row]
    queue: pd.DataFrame


def today_of(session: Session, owner: str | None, rules: Mapping[str, Rule], now: datetime) -> Today:
    """The day of an owner (an address), or of everybody. Tasks are those due within SOON, or late.

    Empty while no week is built.
    """
    if missing_relations(session, "marts.dim_accounts", "marts.fct_account_weeks", "staging.stg_accounts"):
        return Today(dict.fromkeys(COUNTS, 0), [], [], [], pd.DataFrame())
    values = {
        "owner": owner.lower() if owner else None,
        "now": now,
        "until": (now + SOON).date(),
        "limit": SHOWN,
        "risk_unknown": RISK_UNKNOWN,
    }
    counted = {name: read_sql(__file__, "count_of_alerts", shown=kind) for name, kind in _KINDS_OF_ALERTS.items()}
    (counts,) = read_rows(session, read_sql(__file__, "counts", **counted), values)
    chosen = [row["account_id"] for row in read_rows(session, _MOST_AT_STAKE, values)]
    queue = work_queue(session, now, None, SHOWN, rules, chosen)
    return Today(
        counts,
        [{**row, "what": what_of(rules.get(row["rule"]), row)} for row in _alerts(session, values)],
        read_rows(session, _TASKS, values),
        read_rows(session, _APPROVALS, values),
        work_queue_table(queue).assign(
            severity=queue["severity"],
            score=queue["score"],
            band_name=queue["band"],
            open_alerts=queue["open_alerts"],
            first_alert=[alerts[0] if alerts else "" for alerts in queue["alerts"]],
        ),
    )


def _alerts(session: Session, values: Mapping[str, object]) -> list[Row]:
    """The urgent ones first. Asked a severity at a time, since there may be any number of each."""
    found: list[Row] = []
    for severity in PRESSING:
        asked = {**values, "severity": severity, "limit": SHOWN - len(found)}
        found += read_rows(session, read_sql(__file__, "alerts"), asked)
        if len(found) == SHOWN:
            break
    return found


_KINDS_OF_ALERTS = {
    "alerts": "alerts.severity in ('urgent', 'high') and not alerts.is_baseline",
    "lesser_alerts": "alerts.severity in ('medium', 'low') and not alerts.is_baseline",
    "baseline_alerts": "alerts.is_baseline",
}
"""What is work for today, and what is only counted."""

_MOST_AT_STAKE = """
select account_id
from cs.account_overview
where %(owner)s::text is null or lower(owner_email) = %(owner)s
order by
    arr * case when has_cancellation_request then 1 else coalesce((100 - score) / 100, %(risk_unknown)s) end desc,
    account_id
limit %(limit)s
"""

_TASKS = """
select
    tasks.task_id,
    tasks.kind,
    tasks.title,
    tasks.account_id,
    coalesce(overview.account_name, accounts.account_name) as account_name,
    tasks.assignee,
    tasks.due_on,
    tasks.priority
from cs.crm_tasks as tasks
left join cs.account_overview as overview using (account_id)
left join staging.stg_accounts as accounts using (account_id)
where
    tasks.status <> 'completed'
    and tasks.kind = 'task'
    and tasks.due_on <= %(until)s
    and (%(owner)s::text is null or lower(tasks.assignee) = %(owner)s)
order by tasks.due_on, tasks.task_id
limit %(limit)s
"""

_APPROVALS = """
select
    actions.action_id,
    actions.playbook,
    actions.step,
    actions.channel,
    actions.role,
    actions.recipient,
    actions.account_id,
    overview.account_name,
    actions.due_at
from cs.actions
left join cs.account_overview as overview using (account_id)
where
    actions.status = 'awaiting_approval'
    and (%(owner)s::text is null or lower(overview.owner_email) = %(owner)s)
order by actions.due_at, actions.action_id
limit %(limit)s
"""
