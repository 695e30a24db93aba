"""Bring the alerts of a rule from one moment to the next, and say of which of them people are to be told.

Everything is done set by set, over tables named without a schema: live they are those of `cs`, a replay makes temporary
ones of the same names. Rows that the rule found are in the temporary table `alert_rows` (see `create_workspace`).
States and their order are in docs/alerts.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import floor

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.evaluation import Told
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.plays.facts import query as facts
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks.conditions import Condition
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.relations import missing_relations

ACCOUNTS = "staging.stg_accounts"
NO_ACCOUNTS = "(select ''::text as account_id, null::timestamptz as churned_at where false)"
AT_A_TIME = 10_000  # accounts whose facts are held in memory together

_NEWS = read_sql(__file__, "news")
_TELLABLE = read_sql(__file__, "tellable")
_INHIBITED = read_sql(__file__, "inhibited")
_CONDITION_OVER = """
select alert_id from alerts
where
    alert_id = any(%(over_now)s::bigint[]) and told_at is not null and reopened = 0 and not exists (
        select 1 from alert_silences as silences
        where
            silences.lifted_at is null
            and silences.until > %(now)s
            and (silences.rule = alerts.rule or silences.rule is null)
            and (silences.account_id = alerts.account_id or silences.account_id is null)
    )
order by alert_id
"""


@dataclass(frozen=True)
class Tick:
    """A rule at a moment.

    `now`: the present, by which silences end. `clock`: seconds over which the rule was watched by then. `seen_before`:
    moment of the ok evaluation before. `is_changed`: the rule is another than at that. `is_baseline`: none of this
    version was before. `accounts`: relation with account_id and churned_at, NO_ACCOUNTS where leaving ends nothing.
    `book`: accounts that there are; None: counted
    when it matters.
    """

    rule: Rule
    as_of: datetime
    now: datetime
    version: str
    clock: float = 0.0
    seen_before: datetime | None = None
    is_changed: bool = False
    is_baseline: bool = False
    accounts: str = NO_ACCOUNTS
    book: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a tick, in alerts. `held`: of how many alerts, of `held_accounts`, nobody is told
    until a person decides."""

    fired: int
    resolved: int
    closed: int
    inhibited: int
    out_of_audience: int
    held: int
    held_accounts: int
    is_newly_held: bool
    told: Told


@dataclass(frozen=True)
class _Held:
    """Open alerts of a rule that wait for a decision, of how many accounts, and whether none did before."""

    alerts: int
    accounts: int
    is_new: bool = False


def use_tables_of_cs(session: Session) -> None:
    """Let table names without a schema mean those of `cs` until the transaction ends."""
    with session.cursor() as cursor:
        cursor.execute("select set_config('search_path', 'cs, public', true)")


def book(session: Session, as_of: datetime) -> int:
    """How many accounts are customers at a moment; 0 before the models are built."""
    if missing_relations(session, ACCOUNTS):
        return 0
    with session.cursor() as cursor:
        cursor.execute(
            f"select count(*)::integer from {ACCOUNTS} where created_at <= %(as_of)s "
            "and coalesce(churned_at > %(as_of)s, true)",
            {"as_of": as_of},
        )
        (accounts,) = cursor.fetchone() or (0,)
        return accounts


def _book(session: Session, tick: Tick) -> int:
    return book(session, tick.as_of) if tick.book is None else tick.book


def create_workspace(session: Session) -> None:
    """Make the temporary tables alert_rows (what the rule found) and alert_news; each transaction finds them empty."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            create temporary table if not exists alert_rows (
                as_of timestamptz,
                account_id text,
                entity text,
                measured double precision,
                held_against double precision,
                facts jsonb
            ) on commit delete rows;
            create temporary table if not exists alert_news (
                account_id text not null,
                entity text not null,
                measured double precision,
                held_against double precision,
                facts jsonb not null,
                reopens bigint
            ) on commit delete rows
            """
        )


def advance(session: Session, tick: Tick, as_of: AsOf) -> Outcome:
    """Bring the alerts of `tick.rule` to `tick.as_of`; what it found is in alert_rows.

    `as_of` is how the audience is asked for facts.
    """
    alert = tick.rule.alert
    parameters: dict[str, object] = {
        "rule": tick.rule.name,
        "as_of": tick.as_of,
        "now": tick.now,
        "version": tick.version,
        "severity": alert.severity,
        "nature": alert.nature,
        "clock": tick.clock,
        "seen_before": tick.seen_before or tick.as_of,
        "is_changed": tick.is_changed,
        "is_quiet": tick.is_baseline and alert.first_run == "quiet",
        "hold_for": alert.hold_for.total_seconds(),
        "resolve_after": alert.resolve_after,
        "again_after": alert.again_after,
        "expires_after": alert.expires_after,
        "inhibitors": list(alert.inhibited_by),
    }
    with session.cursor() as cursor:
        cursor.execute("delete from alert_news")  # no truncate, which a read-only transaction refuses: replays are one
        cursor.execute(_NEWS, parameters)
        out_of_audience = _keep_audience(session, tick.rule, as_of)
        cursor.execute(read_sql(__file__, accounts=tick.accounts), parameters)
        fired, resolved, closed, over_now, reopened = cursor.fetchone() or (0, 0, 0, None, None)
        inhibited = 0
        if alert.inhibited_by:
            cursor.execute(_INHIBITED, parameters)
            (inhibited,) = cursor.fetchone() or (0,)
        new, held = _tell_or_hold(session, tick, parameters)
        woken = _wake(session, parameters)
        over: list[int] = []
        if over_now:
            cursor.execute(_CONDITION_OVER, {**parameters, "over_now": over_now})
            over = [alert_id for (alert_id,) in cursor.fetchall()]
    told = Told(new=new, woken=woken, reopened=tuple(reopened or ()), resolved=tuple(over))
    return Outcome(fired, resolved, closed, inhibited, out_of_audience, held.alerts, held.accounts, held.is_new, told)


def _keep_audience(session: Session, rule: Rule, as_of: AsOf) -> int:
    """Take rows out of alert_news whose account is none of the audience; returns how many."""
    if rule.audience is None:
        return 0
    removed, after = 0, ""
    with session.cursor() as cursor:
        while True:
            cursor.execute(
                """
                select distinct account_id from alert_news
                where account_id > %s and reopens is null order by 1 limit %s
                """,
                [after, AT_A_TIME],
            )
            accounts = [account_id for (account_id,) in cursor.fetchall()]
            if not accounts:
                return removed
            out = out_of(session, rule.audience, accounts, as_of)
            cursor.execute("delete from alert_news where account_id = any(%s::text[]) and reopens is null", [out])
            removed += cursor.rowcount
            after = accounts[-1]


def out_of(session: Session, audience: Condition, accounts: list[str], as_of: AsOf) -> list[str]:
    """Those of `accounts` that are none of the audience; at most AT_A_TIME are asked about."""
    cases = pd.DataFrame({"account_id": accounts}).assign(
        case_id=range(len(accounts)), subject_id=None, trigger_id=None, anchor_on=None, since=as_of.now
    )
    is_in = audience.holds(facts.read(session, cases, as_of))
    return cases["account_id"][~is_in].tolist()


def _tell_or_hold(session: Session, tick: Tick, parameters: dict[str, object]) -> tuple[tuple[int, ...], _Held]:
    """Mark what is told now, or where it is too much, or a decision is awaited, what is held.

    Returns ids of the told, and what is held.
    """
    limits = tick.rule.alert.limits
    held = _held(session, tick.rule.name)
    with session.cursor() as cursor:
        cursor.execute(f"select count(distinct account_id)::integer from ({_TELLABLE}) as tellable", parameters)
        (accounts,) = cursor.fetchone() or (0,)
        if not accounts:
            return (), held
        is_too_much = accounts > limits.accounts and accounts > floor(limits.share * _book(session, tick))
        if not held.alerts and not is_too_much:
            ids = tuple(tellable(session, tick.rule.name, tick.now))
            mark_told(session, ids, tick.now)
            return ids, held
        cursor.execute(
            f"update alerts set is_held = true from ({_TELLABLE}) as tellable "
            "where alerts.alert_id = tellable.alert_id",
            parameters,
        )
    return (), replace(_held(session, tick.rule.name), is_new=not held.alerts)


def _held(session: Session, rule: str) -> _Held:
    with session.cursor() as cursor:
        cursor.execute(
            "select count(*)::integer, count(distinct account_id)::integer from alerts "
            "where rule = %s and is_held and state in ('firing', 'recovering')",
            [rule],
        )
        alerts, accounts = cursor.fetchone() or (0, 0)
        return _Held(alerts, accounts)


def tellable(session: Session, rule: str, now: datetime) -> list[int]:
    """Alerts of a rule that fire, that nobody was told of, and that nothing stands before now."""
    with session.cursor() as cursor:
        cursor.execute(_TELLABLE, {"rule": rule, "now": now})
        return [alert_id for alert_id, _ in cursor.fetchall()]


def mark_told(session: Session, alert_ids: Sequence[int], now: datetime) -> None:
    """Say that people are told of these now."""
    if not alert_ids:
        return
    with session.cursor() as cursor:
        cursor.execute(
            """
            update alerts
            set
                told_at = %s,
                snoozed_until = null
            where alert_id = any(%s::bigint[])
            """,
            [now, list(alert_ids)],
        )


def _wake(session: Session, parameters: dict[str, object]) -> tuple[int, ...]:
    """End snoozes that are over; returns the ids of those that fire still, and that people knew."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            update alerts
            set snoozed_until = null
            where
                rule = %(rule)s
                and state = 'firing'
                and told_at is not null
                and snoozed_until <= %(now)s
                and inhibited_by is null
            returning alert_id
            """,
            parameters,
        )
        return tuple(sorted(alert_id for (alert_id,) in cursor.fetchall()))
