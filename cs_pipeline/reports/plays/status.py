"""What the plays have done so far, for people: read only, one query a question."""

from datetime import datetime, timedelta

import pandas as pd
from psycopg2.extensions import connection as Session


def enrolments_by_playbook(session: Session) -> pd.DataFrame:
    """Number of enrolments by playbook, status and reason; columns playbook, status, reason, enrolments."""
    return _frame(
        session,
        """
        select playbook, status, coalesce(reason, '') as reason, count(*) as enrolments
        from cs.enrolments
        group by playbook, status, reason
        order by playbook, status, enrolments desc, reason
        """,
    )


def enrolled_and_refused(session: Session) -> pd.DataFrame:
    """Enrolments and refusals by playbook; columns playbook, enrolled, refused, reason (the most frequent refusal).

    Triggers that are not what a playbook waits for were never refused, and are left out.
    """
    return _frame(
        session,
        """
        select
            playbook,
            count(*) filter (where status <> 'refused') as enrolled,
            count(*) filter (where status = 'refused') as refused,
            coalesce(mode() within group (order by reason) filter (where status = 'refused'), '') as reason
        from cs.enrolments
        where coalesce(reason, '') <> 'trigger'
        group by playbook
        order by playbook
        """,
    )


def actions_by_status(session: Session) -> pd.DataFrame:
    """Number of actions by playbook, channel, status and reason.

    Columns: playbook, channel, status, delivery (capture, live or ''), reason, actions.
    """
    return _frame(
        session,
        """
        select
            playbook,
            channel,
            status,
            coalesce(delivery, '') as delivery,
            coalesce(reason, '') as reason,
            count(*) as actions
        from cs.actions
        group by playbook, channel, status, delivery, reason
        order by playbook, channel, status, actions desc, reason
        """,
    )


def suppressed_actions(session: Session, now: datetime, days: int) -> pd.DataFrame:
    """Actions due within the last `days` that were not taken and never will be; columns playbook, reason, actions."""
    return _frame(
        session,
        """
        select playbook, coalesce(reason, '') as reason, count(*) as actions
        from cs.actions
        where status = 'suppressed' and due_at > %s and due_at <= %s
        group by playbook, reason
        order by playbook, actions desc, reason
        """,
        now - timedelta(days=days),
        now,
    )


def suppressed_addresses(session: Session) -> pd.DataFrame:
    """Number of addresses that get no mail; columns reason, source, addresses, newest (when the last was added)."""
    return _frame(
        session,
        """
        select reason, source, count(*) as addresses, max(since) as newest
        from cs.suppressions
        group by reason, source
        order by reason, source
        """,
    )


def waiting_for_people(session: Session, limit: int = 50) -> pd.DataFrame:
    """Actions that go no further without a person: uncertain, failed, or awaiting approval; newest first.

    Columns: action_id, playbook, step, account_id, channel, status, reason, detail, due_at.
    """
    return _frame(
        session,
        """
        select action_id, playbook, step, account_id, channel, status, reason, detail, due_at
        from cs.actions
        where status in ('uncertain', 'failed', 'awaiting_approval')
        order by due_at desc, action_id desc
        limit %s
        """,
        limit,
    )


def recent_messages(session: Session, limit: int = 10) -> pd.DataFrame:
    """The last captured messages.

    Columns: captured_at, channel, recipient, subject, path, playbook, step, account_id.
    """
    return _frame(
        session,
        """
        select
            messages.captured_at,
            messages.channel,
            messages.recipient,
            messages.subject,
            messages.path,
            actions.playbook,
            actions.step,
            actions.account_id
        from cs.captured_messages as messages
        inner join cs.actions using (action_key)
        order by messages.captured_at desc, messages.action_key
        limit %s
        """,
        limit,
    )


def _frame(session: Session, sql: str, *parameters: object) -> pd.DataFrame:
    with session.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])
