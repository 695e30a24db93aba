"""Queries for tables of enrolments, actions and messages, in the Dagster UI and on the command line. Read only."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.sql_files import read_sql


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
        (now - timedelta(days=days), now),
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
        (limit,),
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
        (limit,),
    )


def newest_plays(session: Session, limit: int) -> pd.DataFrame:
    """Columns playbook, account, why, status, reason: the newest enrolments, with the trigger in words.

    Of each playbook the newest comes first, then the second newest of each: one that starts often hides no other.
    """
    return _frame(session, read_sql(__file__, "newest_plays"), {"limit": limit})


def taken_actions(session: Session) -> pd.DataFrame:
    """Columns state (captured, sent, planned, without a recipient, …), actions: the outbox at a glance."""
    return _frame(
        session,
        """
        select
            case
                when status = 'sent' and delivery = 'capture' then 'captured'
                when status = 'failed' and reason = 'no_recipient' then 'without a recipient'
                else replace(status, '_', ' ')
            end as state,
            count(*) as actions
        from cs.actions
        group by 1
        order by 2 desc, 1
        """,
    )


def actions_by_playbook(session: Session) -> pd.DataFrame:
    """Columns playbook, channel, captured, planned, not_taken: how many actions of each are in which state."""
    return _frame(
        session,
        """
        select
            playbook,
            channel,
            count(*) filter (where status = 'sent') as captured,
            count(*) filter (where status in ('planned', 'awaiting_approval', 'claimed')) as planned,
            count(*) filter (where status not in ('sent', 'planned', 'awaiting_approval', 'claimed')) as not_taken
        from cs.actions
        group by 1, 2
        order by 1, 2
        """,
    )


def _frame(session: Session, sql: str, parameters: Mapping[str, object] | Sequence[object] = ()) -> pd.DataFrame:
    with session.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])
