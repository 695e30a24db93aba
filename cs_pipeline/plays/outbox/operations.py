"""Notify operations: the one door for whatever they are to be told.

A notice is an action of the outbox like any other, so that none is lost or told twice. Chat is the first way, e-mail
(where an address is set) the second, for when chat has not taken it in a while; what reached nobody is shown by
`doctor`. What is told, and when, is decided by who calls `notify`; how a notice is written is in `notice_messages`, how
it is handed over in `delivery.notices`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import clean
from cs_pipeline.channels.registry import carrier_of
from cs_pipeline.settings import Settings

PLAYBOOK = "operations"
STEP = "notice"
SECOND_WAY_AFTER = timedelta(minutes=10)
TOLD_FOR = timedelta(days=14)


@dataclass(frozen=True)
class Notice:
    """What operations are to read; `key` says what it is about, and is told once. Others' words in it are cleaned."""

    key: str
    subject: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "subject", clean(self.subject))
        object.__setattr__(self, "text", clean(self.text))


def notify(session: Session, notice: Notice, settings: Settings, now: datetime) -> bool:
    """Plan a notice: in Slack at once, by e-mail later. False when its key was told before."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            insert into cs.notices (notice_key, subject, body, created_at)
            values (%s, %s, %s, %s)
            on conflict (notice_key) do nothing
            returning notice_id
            """,
            [notice.key, notice.subject, notice.text, now],
        )
        row = cursor.fetchone()
        if row is None:
            return False
        ways = [("slack", settings.ops_channel, now)] if _has_chat(settings) else []
        if settings.ops_email:
            ways.append(("email", settings.ops_email, now + SECOND_WAY_AFTER if ways else now))
        for channel, recipient, due_at in ways:
            cursor.execute(
                """
                insert into cs.actions (
                    action_key, notice_id, playbook, step, account_id, channel, role, recipient, intent, due_at,
                    expires_at, status
                )
                values (%s, %s, %s, %s, '', %s, 'operations', %s, 'inform', %s, %s, 'planned')
                """,
                [
                    f"{PLAYBOOK}/{channel}/{notice.key}",
                    row[0],
                    PLAYBOOK,
                    STEP,
                    channel,
                    recipient,
                    due_at,
                    due_at + TOLD_FOR,
                ],
            )
        return True


def cancel_second_ways(session: Session) -> int:
    """Cancel the e-mail of notices that Slack has taken; returns how many."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.actions as second
            set status = 'cancelled', reason = 'told_in_slack'
            from cs.actions as first
            where
                second.notice_id is not null
                and second.channel = 'email'
                and second.status = 'planned'
                and first.notice_id = second.notice_id
                and first.channel = 'slack'
                and first.status = 'sent'
            """
        )
        return cursor.rowcount


def untold(session: Session, now: datetime) -> list[tuple[str, datetime]]:
    """Subjects of notices of the last TOLD_FOR that nobody was told of by now, and since when; for `doctor`."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select notices.subject, notices.created_at
            from cs.notices
            where
                notices.created_at > %(since)s
                and notices.created_at <= %(until)s
                and not exists (
                    select 1
                    from cs.actions
                    where actions.notice_id = notices.notice_id and actions.status in ('sent', 'cancelled')
                )
            order by notices.created_at desc, notices.notice_id desc
            """,
            {"since": now - TOLD_FOR, "until": now - timedelta(minutes=5)},
        )
        return cursor.fetchall()


def _has_chat(settings: Settings) -> bool:
    """Whether Slack, or Teams instead of it, can be posted to; captured it is in any case."""
    return settings.delivery == "capture" or carrier_of("slack", settings).is_connected(settings)
