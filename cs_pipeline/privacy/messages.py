"""Forget a person in what was written and sent: messages that were captured, actions, tasks, notices and reports."""

from collections.abc import Mapping, Sequence

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.privacy.person import Person, change

ERASED = "erased"
_STATEMENTS: Mapping[str, str] = {
    "cs.actions": (
        "update cs.actions set recipient = null, recipient_user_id = null, detail = null "
        "where lower(recipient) = any(%(addresses)s::text[]) or recipient_user_id = any(%(user_ids)s::text[])"
    ),
    "cs.crm_tasks": (
        "update cs.crm_tasks set "
        "title = regexp_replace(title, %(pattern)s, 'erased', 'gi'), "
        "body = regexp_replace(body, %(pattern)s, 'erased', 'gi') "
        "where title ~* %(pattern)s or body ~* %(pattern)s"
    ),
    "cs.notices": (
        "update cs.notices set "
        "subject = regexp_replace(subject, %(pattern)s, 'erased', 'gi'), "
        "body = regexp_replace(body, %(pattern)s, 'erased', 'gi'), html = null, blocks = null "
        "where subject ~* %(pattern)s or body ~* %(pattern)s or html ~* %(pattern)s or blocks::text ~* %(pattern)s"
    ),
    "cs.renewal_calls": (
        "update cs.renewal_calls set reason = regexp_replace(reason, %(pattern)s, 'erased', 'gi') "
        "where reason ~* %(pattern)s"
    ),
    "cs.slack_answers": (
        "update cs.slack_answers set reason = regexp_replace(reason, %(pattern)s, 'erased', 'gi') "
        "where reason ~* %(pattern)s"
    ),
    "cs.conversation_notes": (
        "update cs.conversation_notes set note = regexp_replace(note, %(pattern)s, 'erased', 'gi') "
        "where note ~* %(pattern)s"
    ),
    # A report can be made again, of the rows as they are then.
    "cs.reports": "delete from cs.reports where concat_ws(' ', owner, headline, page) ~* %(pattern)s",
    "cs.alert_notifications": (
        "update cs.alert_notifications set recipient = 'erased ' || notification_id "
        "where lower(recipient) = any(%(addresses)s::text[])"
    ),
    "cs.sendgrid_events": (
        "update cs.sendgrid_events set email = null, body = '{}' "
        "where email = any(%(addresses)s::text[]) or body::text ~* %(pattern)s"
    ),
    "cs.crm_readings": (
        "update cs.crm_readings set assignee = null where lower(assignee) = any(%(addresses)s::text[])"
    ),
}
"""What is done in each table but that of captured messages."""


def forget_captured_rows(cursor: Cursor, person: Person, entities: Sequence[str]) -> dict[str, str | None]:
    """Empty what was captured for or about the person, or what they wrote; returns the pages, by action key."""
    cursor.execute(
        """
        select messages.action_key, messages.path
        from cs.captured_messages as messages
        left join cs.actions using (action_key)
        where
            lower(messages.recipient) = any(%(addresses)s::text[])
            or actions.recipient_user_id = any(%(user_ids)s::text[])
            or concat_ws(' ', messages.subject, messages.body_text, messages.payload::text) ~* %(pattern)s
            or actions.action_id in (
                select unnest(ledger.action_ids)
                from cs.routed_feedback as ledger
                where ledger.source_id = any(%(entities)s::text[])
            )
        """,
        {**person.parameters, "entities": list(entities)},
    )
    pages = dict(cursor.fetchall())
    cursor.execute(
        """
        update cs.captured_messages
        set recipient = %(erased)s, subject = %(erased)s, body_html = null, body_text = '', payload = '{}', path = null
        where action_key = any(%(keys)s::text[])
        """,
        {"erased": ERASED, "keys": list(pages)},
    )
    return pages


def forget_messages(cursor: Cursor, person: Person, entities: Sequence[str]) -> dict[str, int]:
    """Empty what names the person or quotes them; returns how many rows were changed, by table."""
    counts = {table: change(cursor, statement, person) for table, statement in _STATEMENTS.items()}
    counts["cs.notices"] += change(cursor, _QUOTING, person, entities=list(entities))
    return counts


_QUOTING = """
update cs.notices
set subject = 'erased', body = 'erased', html = null, blocks = null
where
    subject <> 'erased'
    and notice_id in (
        select actions.notice_id
        from cs.routed_feedback as ledger
        inner join cs.actions on actions.action_id = any(ledger.action_ids)
        where ledger.source_id = any(%(entities)s::text[])
    )
"""
