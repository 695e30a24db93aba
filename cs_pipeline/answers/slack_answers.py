"""Do what somebody decides by a button in Slack, under their name, by the functions that the command line calls.

Each answer of a message counts once: who clicks twice, or after somebody else, changes nothing. What is decided and
that it was are one transaction.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts import decisions
from cs_pipeline.alerts.decisions import OPEN
from cs_pipeline.channels.message import clean
from cs_pipeline.channels.slack_buttons import Given, Verb
from cs_pipeline.errors import UserError
from cs_pipeline.plays.outbox.crm_sync import complete
from cs_pipeline.plays.outbox.manual_actions import decide

SNOOZED_FOR = timedelta(days=7)
NO_RISK_FOR = timedelta(days=30)


def answer(session: Session, action_key: str, given: Given) -> bool:
    """Do what was answered; False where the message has that answer already.

    Raises UserError, and does nothing, where it cannot be done any more.
    """
    with session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.slack_answers (action_key, verb, answered_by, answered_at, reason)
            values (%s, %s, %s, %s, %s)
            on conflict (action_key, verb) do nothing
            """,
            [action_key, given.verb, given.by, given.at, given.reason and clean(given.reason)],
        )
        is_first = cursor.rowcount == 1
    if is_first:
        _DOERS[given.verb](session, action_key, given)
    return is_first


def answers_of(session: Session, action_key: str) -> list[Given]:
    """What was answered to a message, in its order."""
    with session.cursor() as cursor:
        cursor.execute(
            "select verb, answered_by, answered_at, reason from cs.slack_answers "
            "where action_key = %s order by answered_at, verb",
            [action_key],
        )
        return [Given(*row) for row in cursor.fetchall()]


def blocks_of_notice(session: Session, action_key: str) -> tuple[str, list[dict]] | None:
    """Subject and blocks of a message that is a notice, as they were written."""
    with session.cursor() as cursor:
        cursor.execute(
            "select subject, blocks from cs.notices inner join cs.actions using (notice_id) "
            "where action_key = %s and blocks is not null",
            [action_key],
        )
        return cursor.fetchone()


def _acknowledge(session: Session, action_key: str, given: Given) -> None:
    if not decisions.acknowledge(session, _open_alerts(session, action_key), given.by, given.at):
        raise UserError("Somebody looks after it already")


def _snooze(session: Session, action_key: str, given: Given) -> None:
    alerts, until = _open_alerts(session, action_key), given.at + SNOOZED_FOR
    decisions.snooze(session, alerts, until, "snoozed in Slack", given.by, given.at)


def _not_a_risk(session: Session, action_key: str, given: Given) -> None:
    if not given.reason or not given.reason.strip():
        raise UserError("Say why, so that others know")
    alerts, until = _open_alerts(session, action_key), given.at + NO_RISK_FOR
    decisions.acknowledge(session, alerts, given.by, given.at)
    decisions.snooze(session, alerts, until, f"not a risk: {clean(given.reason)}", given.by, given.at)


def _open_alerts(session: Session, action_key: str) -> list[int]:
    """Those that the message told of, as far as they go on."""
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select distinct alerts.alert_id
            from cs.actions
            inner join cs.alert_notifications as told on actions.notice_id = told.notice_id
            inner join cs.alerts on told.alert_id = alerts.alert_id
            where actions.action_key = %s and alerts.state in {OPEN}
            order by alerts.alert_id
            """,
            [action_key],
        )
        found = [alert_id for (alert_id,) in cursor.fetchall()]
    if not found:
        raise UserError("It is over already")
    return found


def _approve(session: Session, action_key: str, given: Given) -> None:
    waiting = _actions_of_the_play(session, action_key, "awaiting_approval")
    if not waiting:
        raise UserError("Nothing of this play waits for approval")
    decide(session, "approve", waiting, given.by, given.at)


def _hold(session: Session, action_key: str, given: Given) -> None:
    planned = _actions_of_the_play(session, action_key, "planned")
    if not planned:
        raise UserError("Nothing of this play is planned any more")
    decide(session, "hold", planned, given.by, given.at)


def _actions_of_the_play(session: Session, action_key: str, status: str) -> list[int]:
    with session.cursor() as cursor:
        cursor.execute(
            """
            select others.action_id
            from cs.actions
            inner join cs.actions as others on actions.enrolment_id = others.enrolment_id
            where actions.action_key = %s and others.status = %s
            order by others.action_id
            """,
            [action_key, status],
        )
        return [action_id for (action_id,) in cursor.fetchall()]


def _done(session: Session, action_key: str, given: Given) -> None:
    """What the message asks for is done, and so are the tasks here that are due of the same play."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select tasks.task_id
            from cs.actions
            inner join cs.actions as others on actions.enrolment_id = others.enrolment_id
            inner join cs.crm_tasks as tasks on others.action_key = tasks.external_id
            where actions.action_key = %s and tasks.status <> 'completed' and tasks.due_on <= %s
            """,
            [action_key, given.at.date()],
        )
        tasks = [task_id for (task_id,) in cursor.fetchall()]
    complete(session, tasks, given.by, given.at)


_DOERS: Mapping[Verb, Callable[[Session, str, Given], None]] = {
    "acknowledge": _acknowledge,
    "snooze": _snooze,
    "not_a_risk": _not_a_risk,
    "approve": _approve,
    "hold": _hold,
    "done": _done,
}
