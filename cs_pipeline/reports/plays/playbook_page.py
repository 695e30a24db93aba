"""Playbooks for pages: all of them at a glance, and one with its steps, who is in it, what was not sent and why.

Reads only; lists are bounded. What a play did to renewals and scores is in `backtest.uplift`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.reasons import meaning, meaning_of_refusal
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.relations import missing_relations
from cs_pipeline.warehouse.rows import read_rows

LATELY = timedelta(days=30)
AT_A_TIME = 50
Row = dict[str, Any]
STATES = ("planned", "awaiting_approval", "sent", "suppressed", "failed", "uncertain", "cancelled")
"""States of an action in the order in which a page shows them; one that is being sent counts as planned."""
FIGURES = ("running", "enrolled", "refused", "held_out", "planned", "awaiting", "sent", "suppressed")
"""Figures of a playbook at a glance: of plays, then of actions."""


@dataclass(frozen=True)
class PlaybookPage:
    """`steps`: step, and of its actions how many are in each of STATES; those of old versions come last.

    `counts` of plays by status, and `held_out`. `running`: account_id, account_name, arr, enrolled_at, next step.
    `not_sent` (step, why, actions) and `refused` (why, accounts), within LATELY. `planned`: actions, the next first.
    """

    steps: list[Row]
    counts: Mapping[str, int]
    running: list[Row]
    not_sent: list[Row]
    refused: list[Row]
    planned: list[Row]
    stopped: Row | None
    trip: Row | None


def playbook_lines(session: Session, playbooks: Mapping[str, Playbook], now: datetime) -> list[Row]:
    """A row for each playbook, those that run first: title, family, switched_on, and figures within LATELY.

    Playbooks that are no more, and have left plays, are among them.
    """
    found = {row["playbook"]: row for row in read_rows(session, read_sql(__file__, "lines"), {"since": now - LATELY})}
    nothing = dict.fromkeys(FIGURES, 0)
    stopped = {row["name"] for row in read_rows(session, _STOPS, {"playbook": None})}
    trips = {row["playbook"] for row in read_rows(session, _TRIPS, {"playbook": None})}
    rows: list[Row] = []
    for name in sorted({*playbooks, *found}):
        playbook = playbooks.get(name)
        rows.append(
            {
                **nothing,
                **found.get(name, {}),
                "playbook": name,
                "title": playbook.title if playbook else name.replace("_", " "),
                "family": playbook.family if playbook else "",
                "trigger": playbook.trigger.kind if playbook else "",
                "switched_on": playbook is not None and playbook.switched_on,
                "is_there": playbook is not None,
                "is_stopped": name in stopped,
                "has_tripped": name in trips,
            }
        )
    return sorted(rows, key=lambda row: (-row["awaiting"], -row["running"], -row["enrolled"], row["title"]))


def awaiting_approval(session: Session, playbook: str = "", limit: int = AT_A_TIME) -> list[Row]:
    """Actions that wait for a person, those due first: with account, ARR, step, channel, role, recipient and why."""
    return _actions(session, "awaiting_approval", playbook, limit)


def playbook_page(session: Session, name: str, playbook: Playbook | None, now: datetime) -> PlaybookPage:
    """Everything about a playbook; `playbook` is its file, None where there is none any more."""
    values = {"playbook": name, "since": now - LATELY, "limit": AT_A_TIME}
    conditions = playbook.exit_conditions if playbook else {}
    counted = {row["status"]: row["plays"] for row in read_rows(session, _COUNTS, values)}
    refused = read_rows(session, _REFUSED, values)
    stops = read_rows(session, _STOPS, values)
    trips = read_rows(session, _TRIPS, values)
    return PlaybookPage(
        steps=_steps(read_rows(session, _STEPS, values), playbook),
        counts=counted,
        running=read_rows(session, _RUNNING.format(accounts=_accounts(session)), values),
        not_sent=[
            {**row, "why": meaning(row["reason"], conditions) if row["reason"] else "no reason was kept"}
            for row in read_rows(session, _NOT_SENT, values)
        ],
        refused=[{**row, "why": meaning_of_refusal(row["reason"], conditions)} for row in refused],
        planned=_actions(session, "planned", name, AT_A_TIME),
        stopped=stops[0] if stops else None,
        trip=trips[0] if trips else None,
    )


def _actions(session: Session, status: str, playbook: str, limit: int) -> list[Row]:
    rows = read_rows(
        session,
        _ACTIONS.format(status=status, accounts=_accounts(session)),
        {"playbook": playbook, "limit": limit},
    )
    return [{**row, "why": meaning(row["reason"]) if row["reason"] else ""} for row in rows]


def _accounts(session: Session) -> str:
    """In SQL, the accounts with those that have left; the overview has present ones only."""
    if missing_relations(session, "staging.stg_accounts"):
        return "(select null::text as account_id, null::text as account_name where false)"
    return "staging.stg_accounts"


def _steps(found: list[Row], playbook: Playbook | None) -> list[Row]:
    ours = playbook.steps if playbook else ()
    by_step: dict[str, Row] = {step.step: {"day": step.day, "step": step.step} for step in ours}
    for row in found:
        state = "planned" if row["status"] == "claimed" else row["status"]
        step = by_step.setdefault(row["step"], {"day": None, "step": row["step"]})
        step[state] = step.get(state, 0) + row["actions"]
    return [{**dict.fromkeys(STATES, 0), **step} for step in by_step.values()]


_LEFT_ACCOUNTS = """left join (
    select known.account_id, known.account_name
    from {accounts} as known
    where known.account_id in (select shown.account_id from shown where shown.account_name is null)
) as left_accounts on shown.account_id = left_accounts.account_id"""

_ACTIONS = f"""
with shown as materialized (
    select
        actions.action_id,
        actions.playbook,
        actions.step,
        actions.channel,
        actions.role,
        actions.recipient,
        actions.reason,
        actions.due_at,
        actions.account_id,
        overview.account_name,
        overview.arr
    from cs.actions
    left join cs.account_overview as overview on actions.account_id = overview.account_id
    where
        actions.status = '{{status}}'
        and actions.enrolment_id is not null
        and (%(playbook)s = '' or actions.playbook = %(playbook)s)
    order by actions.due_at, actions.action_id
    limit %(limit)s
)

select
    shown.action_id,
    shown.playbook,
    shown.step,
    shown.channel,
    shown.role,
    shown.recipient,
    shown.reason,
    shown.due_at,
    shown.account_id,
    coalesce(shown.account_name, left_accounts.account_name) as account_name,
    shown.arr
from shown
{_LEFT_ACCOUNTS}
order by shown.due_at, shown.action_id
"""

_STOPS = """
select *
from cs.kill_switches
where scope = 'playbook' and (%(playbook)s::text is null or name = %(playbook)s)
"""

_TRIPS = """
select playbook, tripped_at, accounts, share_of_accounts, share_of_arr
from cs.breaker_trips
where decision is null and (%(playbook)s::text is null or playbook = %(playbook)s)
"""

_COUNTS = """
select case when reason = 'hold_out' then 'held_out' else status end as status, count(*)::integer as plays
from cs.enrolments
where playbook = %(playbook)s and coalesce(reason, '') <> 'trigger'
group by 1
"""

_STEPS = """
select step, status, count(*)::integer as actions
from cs.actions
where playbook = %(playbook)s and enrolment_id is not null
group by step, status
order by min(due_at), step
"""

_NOT_SENT = """
select step, reason, count(*)::integer as actions
from cs.actions
where
    playbook = %(playbook)s
    and status in ('suppressed', 'failed', 'cancelled')
    and due_at > %(since)s
    and enrolment_id is not null
group by step, reason
order by actions desc, step, reason
limit %(limit)s
"""

_REFUSED = """
select reason, count(*)::integer as accounts
from cs.enrolments
where playbook = %(playbook)s and status = 'refused' and enrolled_at > %(since)s and reason <> 'trigger'
group by reason
order by accounts desc, reason
"""

# Those that are shown are chosen first, so that not every play's next action is looked for.
_RUNNING = f"""
with shown as materialized (
    select
        enrolments.enrolment_id,
        enrolments.account_id,
        enrolments.enrolled_at,
        enrolments.anchor_on,
        overview.account_name,
        overview.arr,
        overview.score,
        overview.band,
        overview.severity
    from cs.enrolments
    left join cs.account_overview as overview on enrolments.account_id = overview.account_id
    where enrolments.playbook = %(playbook)s and enrolments.status = 'active'
    order by overview.arr desc nulls last, enrolments.enrolment_id
    limit %(limit)s
)

select
    shown.account_id,
    shown.enrolled_at,
    shown.anchor_on,
    coalesce(shown.account_name, left_accounts.account_name) as account_name,
    shown.arr,
    shown.score,
    shown.band,
    shown.severity,
    upcoming.step,
    upcoming.due_at,
    upcoming.status
from shown
{_LEFT_ACCOUNTS}
left join lateral (
    select actions.step, actions.due_at, actions.status
    from cs.actions
    where
        actions.enrolment_id = shown.enrolment_id
        and actions.status in ('planned', 'awaiting_approval', 'claimed')
    order by actions.due_at, actions.action_id
    limit 1
) as upcoming on true
order by shown.arr desc nulls last, shown.enrolment_id
"""
