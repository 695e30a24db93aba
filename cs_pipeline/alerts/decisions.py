"""Let people decide about alerts: acknowledge, snooze, silence, release what is held or dismiss it.

Each decision about an alert leaves a row of cs.alert_changes with who decided. An alert that is snoozed or silenced
changes state all the same; who is told of what is decided at the next evaluation.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts import notifications, transition
from cs_pipeline.alerts.evaluation import Evaluation, Told
from cs_pipeline.alerts.locks import wait_for
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.alerts.tellable import mark_told, tellable
from cs_pipeline.errors import UserError
from cs_pipeline.plays.triggers.alerts import open_alerts
from cs_pipeline.settings import Settings

OPEN = "('pending', 'firing', 'recovering')"


def acknowledge(session: Session, alert_ids: Sequence[int], by: str, now: datetime) -> int:
    """Say that somebody looks after these alerts, which ends their escalation; returns how many nobody had.

    Raises UserError with every alert that is not there, or over.
    """
    return _decide(
        session,
        alert_ids,
        by,
        now,
        "acknowledged",
        "acknowledged_by = %(by)s, acknowledged_at = %(now)s",
        "acknowledged_at is null",
    )


def snooze(session: Session, alert_ids: Sequence[int], until: datetime, reason: str, by: str, now: datetime) -> int:
    """Tell nobody of these alerts until then; who of them fires still is told of again. Returns how many.

    Raises UserError when `until` is past, no reason is given, or an alert is not there or over.
    """
    _refuse_empty(until, reason, now)
    return _decide(
        session,
        alert_ids,
        by,
        now,
        "snoozed",
        "snoozed_until = %(until)s, snooze_reason = %(reason)s",
        "true",
        until=until,
        reason=reason.strip(),
    )


def silence(
    session: Session, rule: str | None, account_id: str | None, until: datetime, reason: str, by: str, now: datetime
) -> int:
    """Tell nobody of a rule, of an account, or of one about the other, until then; returns the silence's id.

    Raises UserError when neither is given, `until` is past or no reason is given.
    """
    _refuse_empty(until, reason, now)
    if not rule and not account_id:
        raise UserError("Say which rule or which account is to be silent; alerts.yaml switches rules off")
    with session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.alert_silences (rule, account_id, until, reason, set_by, set_at)
            values (%s, %s, %s, %s, %s, %s)
            returning silence_id
            """,
            [rule or None, account_id or None, until, reason.strip(), by, now],
        )
        (silence_id,) = cursor.fetchone() or (0,)
        return silence_id


def lift(session: Session, silence_id: int, now: datetime) -> None:
    """End a silence before its time. Raises UserError when there is none that lasts."""
    with session.cursor() as cursor:
        cursor.execute(
            "update cs.alert_silences set lifted_at = %(now)s "
            "where silence_id = %(silence_id)s and lifted_at is null and until > %(now)s",
            {"now": now, "silence_id": silence_id},
        )
        if cursor.rowcount == 0:
            raise UserError(f"There is no silence {silence_id}, or it is over already")


def release(session: Session, rule: Rule, by: str, settings: Settings, now: datetime) -> int:
    """Tell people of the alerts that a rule holds, as far as they fire still; returns how many.

    Raises UserError where it holds none.
    """
    wait_for(session, rule.name)
    transition.use_tables_of_cs(session)
    with session.cursor() as cursor:
        cursor.execute(_RELEASE, {"rule": rule.name, "now": now, "by": by})
        if cursor.fetchone() == (0,):
            raise UserError(f"Rule {rule.name} holds nothing")
    ids = tuple(tellable(session, rule.name, now))
    mark_told(session, ids, now)
    open_alerts(session, ids, now)
    evaluation = replace(_newest(session, rule.name), told=Told(new=ids))
    notifications.tell(session, rule, evaluation, settings, now)
    return len(ids)


def dismiss(session: Session, rule: str, by: str, now: datetime) -> int:
    """Close the alerts that a rule holds; returns how many. They are not told of while they go on.

    Raises UserError where it holds none.
    """
    wait_for(session, rule)
    with session.cursor() as cursor:
        cursor.execute(_DISMISS, {"rule": rule, "now": now, "by": by})
        (closed,) = cursor.fetchone() or (0,)
    if not closed:
        raise UserError(f"Rule {rule} holds nothing")
    return closed


def _refuse_empty(until: datetime, reason: str, now: datetime) -> None:
    if until <= now:
        raise UserError(f"{until:%Y-%m-%d %H:%M} is past; say until when nobody is to be told")
    if not reason.strip():
        raise UserError("Say why, so that others know")


def _decide(
    session: Session,
    alert_ids: Sequence[int],
    by: str,
    now: datetime,
    cause: str,
    changes: str,
    condition: str,
    **values: object,
) -> int:
    wanted = sorted(set(alert_ids))
    with session.cursor() as cursor:
        cursor.execute(
            f"select alert_id from cs.alerts where alert_id = any(%s::bigint[]) and state in {OPEN} for update",
            [wanted],
        )
        if missing := sorted(set(wanted) - {alert_id for (alert_id,) in cursor.fetchall()}):
            names = ", ".join(map(str, missing))
            raise UserError(f"There is no open alert {names}; `cs-pipeline alert list` has those that there are")
        cursor.execute(
            f"""
            with changed as (
                update cs.alerts set {changes} where alert_id = any(%(ids)s::bigint[]) and {condition} returning *
            )

            insert into cs.alert_changes (
                alert_id, rule, account_id, entity, as_of, from_state, to_state, cause, version, measured, decided_by
            )
            select
                alert_id, rule, account_id, entity, %(now)s, state, state, %(cause)s, version, measured, %(by)s
            from changed
            order by alert_id
            """,
            {"ids": wanted, "by": by, "now": now, "cause": cause, **values},
        )
        return cursor.rowcount


def _newest(session: Session, rule: str) -> Evaluation:
    with session.cursor() as cursor:
        cursor.execute(
            "select rule, as_of, version, health, clock from cs.alert_evaluations "
            "where rule = %s and health in ('ok', 'held') order by as_of desc limit 1",
            [rule],
        )
        row = cursor.fetchone()
    assert row is not None  # what is held was found by an evaluation
    return Evaluation(*row)


_RELEASE = """
with released as (
    update cs.alerts set is_held = false where rule = %(rule)s and is_held returning *
),

written as (
    insert into cs.alert_changes (
        alert_id, rule, account_id, entity, as_of, from_state, to_state, cause, version, measured, decided_by
    )
    select alert_id, rule, account_id, entity, %(now)s, state, state, 'released', version, measured, %(by)s
    from released
    where ended_at is null
    order by alert_id
)

select count(*) filter (where ended_at is null)::integer from released
"""

_DISMISS = """
with before as (
    select alert_id, state from cs.alerts where rule = %(rule)s and is_held and state in ('firing', 'recovering')
),

dismissed as (
    update cs.alerts
    set state = 'closed', cause = 'dismissed', ended_at = %(now)s, is_held = false
    from before
    where alerts.alert_id = before.alert_id
    returning alerts.*, before.state as state_before
),

written as (
    insert into cs.alert_changes (
        alert_id, rule, account_id, entity, as_of, from_state, to_state, cause, version, measured, decided_by
    )
    select
        alert_id, rule, account_id, entity, %(now)s, state_before, 'closed', 'dismissed', version, measured, %(by)s
    from dismissed
    order by alert_id
)

select count(*)::integer from dismissed
"""
