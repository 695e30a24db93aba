"""Say of which alerts people are to be told, and hold those of a rule that would tell of too many at once.

How they are told is planned in `notifications`. Tables are named without a schema, as in `transition`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import floor

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.audience import book
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.sql_files import read_sql

_TELLABLE = read_sql(__file__)
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
class Held:
    """Open alerts of a rule that wait for a decision, of how many accounts, and whether none did before."""

    alerts: int
    accounts: int
    is_new: bool = False


def tell_or_hold(session: Session, rule: Rule, as_of: datetime, now: datetime) -> tuple[tuple[int, ...], Held]:
    """Mark what is told now, or where it is too much, or a decision is awaited, what is held.

    Returns ids of the told, and what is held.
    """
    limits = rule.alert.limits
    parameters = {"rule": rule.name, "now": now}
    held = _held(session, rule.name)
    with session.cursor() as cursor:
        cursor.execute(f"select count(distinct account_id)::integer from ({_TELLABLE}) as tellable", parameters)
        (accounts,) = cursor.fetchone() or (0,)
        if not accounts:
            return (), held
        is_too_much = accounts > limits.accounts and accounts > floor(limits.share * book(session, as_of))
        if not held.alerts and not is_too_much:
            ids = tuple(tellable(session, rule.name, now))
            mark_told(session, ids, now)
            return ids, held
        cursor.execute(
            f"update alerts set is_held = true from ({_TELLABLE}) as tellable "
            "where alerts.alert_id = tellable.alert_id",
            parameters,
        )
    return (), replace(_held(session, rule.name), is_new=not held.alerts)


def _held(session: Session, rule: str) -> Held:
    with session.cursor() as cursor:
        cursor.execute(
            "select count(*)::integer, count(distinct account_id)::integer from alerts "
            "where rule = %s and is_held and state in ('firing', 'recovering')",
            [rule],
        )
        alerts, accounts = cursor.fetchone() or (0, 0)
        return Held(alerts, accounts)


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


def wake(session: Session, rule: str, now: datetime) -> tuple[int, ...]:
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
            {"rule": rule, "now": now},
        )
        return tuple(sorted(alert_id for (alert_id,) in cursor.fetchall()))


def over(session: Session, alert_ids: Sequence[int], now: datetime) -> tuple[int, ...]:
    """Those of alerts whose condition is over now that people knew of, and are to be told of."""
    if not alert_ids:
        return ()
    with session.cursor() as cursor:
        cursor.execute(_CONDITION_OVER, {"over_now": list(alert_ids), "now": now})
        return tuple(alert_id for (alert_id,) in cursor.fetchall())
