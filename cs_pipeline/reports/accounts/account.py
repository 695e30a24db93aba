"""One account for a page: who it is, how its score went and why, what happened, whom to turn to, what is planned.

What the score is made of is in `reports.scores.account_story`. Reads only; every query is bounded and of one account.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.errors import UserError
from cs_pipeline.health.explanation import driver_name, words_for_cause
from cs_pipeline.plays.reasons import meaning
from cs_pipeline.reports.alerts.lists import alerts_of_account
from cs_pipeline.reports.alerts.text import CAUSES, remarks, what_of
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.rows import read_rows

WEEKS_SHOWN = 52
CHANGES_SHOWN = 8
DRIVERS_SHOWN = 3
MOMENTS_SHOWN = 60
KINDS: Mapping[str, tuple[str, ...]] = {
    "alerts": ("alert", "risk"),
    "plays": ("play", "task"),
    "messages": ("message",),
    "tickets": ("ticket",),
    "calls": ("call",),
    "contracts": ("contract", "renewal"),
    "feedback": ("feedback",),
}
"""What the timeline can be narrowed to, with the kinds of moments in it."""
ALERTS_SINCE = timedelta(days=180)
Row = dict[str, Any]


@dataclass(frozen=True)
class AccountPage:
    """Rows by what they are about.

    `card`: one row of account.card.sql. `scores`: week, score, band, severity, is_at_risk, status, model, likelihood
    (of leaving) with its ends, oldest first. `changes`: week, from_score, to_score, delta, from_band, to_band, cause
    and drivers (both in words), newest first. `timeline`: at, kind, what, reason, action_id, newest first. `alerts`:
    rows of `lists.alerts` that are open, with `what` and `remarks`. `contacts`: role, full_name, email, user_id,
    unsubscribed_at. `plays`: those that run. `planned` and `not_sent`: actions with playbook, step, channel, role,
    due_at, status, and `why` in words. `override`: in force.
    """

    card: Row
    scores: list[Row]
    changes: list[Row]
    timeline: list[Row]
    alerts: list[Row]
    contacts: list[Row]
    plays: list[Row]
    planned: list[Row]
    not_sent: list[Row]
    override: Row | None


def account_page(
    session: Session, account_id: str, rules: Mapping[str, Rule], now: datetime, narrowed_to: str = ""
) -> AccountPage:
    """Everything about an account; of the timeline all, or one of KINDS. Raises UserError for an unknown id."""
    values = {"account_id": account_id, "now": now, "today": now.date()}
    cards = read_rows(session, read_sql(__file__, "card"), values)
    if not cards:
        raise UserError(f"There is no account '{account_id}'; the book lists those that there are")
    alerts = alerts_of_account(session, account_id, now - ALERTS_SINCE, now, and_since=True).to_dict("records")
    overrides = read_rows(session, _OVERRIDE, values)
    return AccountPage(
        card=cards[0],
        scores=list(reversed(read_rows(session, _SCORES, {**values, "limit": WEEKS_SHOWN}))),
        changes=[_change(row) for row in read_rows(session, _CHANGES, {**values, "limit": CHANGES_SHOWN})],
        timeline=_timeline(session, values, alerts, rules, _kinds(narrowed_to)),
        alerts=[_alert(row, rules) for row in alerts if row["ended_at"] is None],
        contacts=read_rows(session, _CONTACTS, values),
        plays=read_rows(session, _PLAYS, values),
        planned=[_action(row) for row in read_rows(session, _PLANNED, values)],
        not_sent=[_action(row) for row in read_rows(session, _NOT_SENT, values)],
        override=overrides[0] if overrides else None,
    )


def _kinds(narrowed_to: str) -> tuple[str, ...]:
    return KINDS.get(narrowed_to) or tuple(kind for kinds in KINDS.values() for kind in kinds)


def _change(row: Row) -> Row:
    drivers = sorted(
        zip(row["driver_metrics"] or [], row["driver_deltas"] or [], strict=True), key=lambda each: -abs(each[1])
    )
    told = [
        f"{driver_name(metric)} {'−' if delta < 0 else '+'}{abs(delta):.1f}"
        for metric, delta in drivers[:DRIVERS_SHOWN]
    ]
    return {**row, "cause": words_for_cause(row["cause"]), "drivers": told}


def _alert(row: Mapping[Any, Any], rules: Mapping[str, Rule]) -> Row:
    return {**row, "what": what_of(rules.get(row["rule"]), row), "remarks": remarks(row)}


def _timeline(
    session: Session, values: Mapping[str, Any], alerts: list[Any], rules: Mapping[str, Rule], kinds: tuple[str, ...]
) -> list[Row]:
    until = values["now"] + timedelta(days=60)
    asked = {**values, "until": until, "kinds": list(kinds), "limit": MOMENTS_SHOWN}
    moments = read_rows(session, read_sql(__file__, "timeline"), asked)
    for row in moments:
        if row["kind"] == "play" and row["reason"]:
            row["reason"] = meaning(row["reason"])
    for row in alerts if "alert" in kinds else ():
        what = what_of(rules.get(row["rule"]), row)
        alert = {"kind": "alert", "action_id": None, "alert_id": row["alert_id"]}
        moments.append({**alert, "at": row["fired_at"], "what": what, "reason": row["severity"]})
        if row["ended_at"] is not None:
            cause = CAUSES.get(row["cause"], row["cause"])
            moments.append({**alert, "at": row["ended_at"], "what": f"Over: {what}", "reason": cause})
    return sorted(moments, key=lambda each: each["at"], reverse=True)[:MOMENTS_SHOWN]


def _action(row: Row) -> Row:
    return {**row, "why": meaning(row["reason"]) if row["reason"] else ""}


_SCORES = """
select week, score, band, severity, is_at_risk, status, model, likelihood, likelihood_low, likelihood_high
from cs.active_scores
where account_id = %(account_id)s
order by week desc
limit %(limit)s
"""

_CHANGES = """
select week, from_score, to_score, delta, from_band, to_band, to_severity, cause, driver_metrics, driver_deltas
from cs.score_changes
where account_id = %(account_id)s and delta <> 0
order by week desc
limit %(limit)s
"""

_CONTACTS = """
select user_id, full_name, email, unsubscribed_at, string_agg(replace(role, '_', ' '), ', ' order by role) as role
from marts.dim_contacts
where
    account_id = %(account_id)s
    and deleted_at is null
    and coalesce(started_on <= %(today)s, true)
    and coalesce(ended_on > %(today)s, true)
group by user_id, full_name, email, unsubscribed_at
order by min(role), full_name
limit 30
"""

_PLAYS = """
select
    enrolments.enrolment_id,
    enrolments.playbook,
    playbooks.definition ->> 'title' as title,
    enrolments.enrolled_at,
    triggers.kind
from cs.enrolments
inner join cs.playbooks using (playbook, playbook_version)
left join cs.triggers using (trigger_id)
where enrolments.account_id = %(account_id)s and enrolments.status = 'active'
order by enrolments.enrolled_at desc
limit 20
"""

_PLANNED = """
select action_id, playbook, step, channel, role, recipient, due_at, status, reason
from cs.actions
where account_id = %(account_id)s and status in ('planned', 'awaiting_approval', 'claimed')
order by due_at, action_id
limit 40
"""

_NOT_SENT = """
select action_id, playbook, step, channel, role, recipient, due_at, status, reason
from cs.actions
where account_id = %(account_id)s and status in ('suppressed', 'cancelled', 'failed', 'uncertain')
order by due_at desc, action_id desc
limit 20
"""

_OVERRIDE = """
select score, band, reason, set_by, until_week
from cs.score_overrides
where
    account_id = %(account_id)s
    and %(today)s::date between from_week and until_week + 6
    and withdrawn_from is null
order by override_id desc
limit 1
"""
