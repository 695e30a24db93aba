"""Notices: what operations are told, as actions of the outbox like any other, so that none is lost or told twice.

Slack is the first way, e-mail (where an address is set) the second, for when Slack has not taken it in a while; what
reached nobody is shown by `doctor`. What is told, and when, is decided by who calls `tell`; how actions are claimed,
sent and recorded is in `delivery`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import Message, clean
from cs_pipeline.channels.registry import carrier_of
from cs_pipeline.plays.outbox.channel_pauses import PAUSED, ChannelPause, PauseCause
from cs_pipeline.plays.outbox.kill_switch import STOPPED
from cs_pipeline.plays.outbox.queue import MAY_LOOK_UP, PlannedAction, look_up_period
from cs_pipeline.settings import Settings

PLAYBOOK = "operations"
STEP = "notice"
SECOND_WAY_AFTER = timedelta(minutes=10)
TOLD_FOR = timedelta(days=14)
LONGEST_BLOCK = 3_000  # what Slack takes of a text
AT_A_TIME = 100

PAUSE_WORDS: Mapping[PauseCause, str] = {
    "refused": "the provider refuses us, whatever the message",
    "no_answer": "the provider does not answer",
    "asked_to_wait": "the provider keeps as_of us to wait",
}


@dataclass(frozen=True)
class Notice:
    """What operations are to read; `key` says what it is about, and is told once. Others' words in it are cleaned."""

    key: str
    subject: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "subject", clean(self.subject))
        object.__setattr__(self, "text", clean(self.text))


def tell(session: Session, notice: Notice, settings: Settings, now: datetime) -> bool:
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
    """Plan no e-mail for what Slack has taken."""
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


def due(
    session: Session, channels: Sequence[str], settings: Settings, now: datetime
) -> list[tuple[PlannedAction, Message]]:
    """Notices that may go out on `channels` at `now`, written, the oldest first."""
    where = f"""
        actions.status = 'planned'
        and actions.due_at <= %(now)s
        and actions.expires_at > %(now)s
        and not {STOPPED}
        and not {PAUSED}
    """
    return _written(session, where, {"now": now}, channels, settings)


def uncertain(
    session: Session, channels: Sequence[str], settings: Settings, now: datetime
) -> list[tuple[PlannedAction, Message]]:
    """Notices of which nobody knows whether they were taken, and that can be looked up at `now`."""
    return _written(session, MAY_LOOK_UP, look_up_period(now), channels, settings)


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


def _written(
    session: Session, where: str, parameters: dict[str, object], channels: Sequence[str], settings: Settings
) -> list[tuple[PlannedAction, Message]]:
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select
                actions.action_id,
                actions.action_key,
                actions.channel,
                actions.due_at,
                actions.delivery,
                actions.attempts,
                actions.recipient,
                notices.subject,
                notices.body
            from cs.actions
            inner join cs.notices using (notice_id)
            where actions.channel = any(%(channels)s) and {where}
            order by actions.due_at, actions.action_id
            limit {AT_A_TIME}
            """,
            {**parameters, "channels": list(channels)},
        )
        return [_one(settings, *row) for row in cursor.fetchall()]


def _one(
    settings: Settings,
    action_id: int,
    action_key: str,
    channel: str,
    due_at: datetime,
    delivery: str | None,
    attempts: int,
    recipient: str,
    subject: str,
    body: str,
) -> tuple[PlannedAction, Message]:
    action = PlannedAction(
        action_id=action_id,
        action_key=action_key,
        enrolment_id=None,
        playbook=PLAYBOOK,
        playbook_version="",
        family=PLAYBOOK,
        step=STEP,
        account_id="",
        channel=channel,
        role=PLAYBOOK,
        intent="inform",
        due_at=due_at,
        delivery=delivery,
        attempts=attempts,
        recipient=recipient,
        recipient_user_id=None,
    )
    return action, Message(
        action_key=action_key,
        channel=channel,
        recipient=recipient,
        subject=subject,
        body_text=body,
        body_html=f"<!doctype html><html><body><pre>{escape(body)}</pre></body></html>" if channel == "email" else None,
        payload=_payload(channel, body, settings),
        account_id="",
        playbook=PLAYBOOK,
        step=STEP,
        due_on=due_at.date(),
        category=PLAYBOOK,
    )


def _payload(channel: str, body: str, settings: Settings) -> dict[str, object]:
    if channel == "email":
        return {"preview": "", "sender_name": settings.sender_name, "reply_to": None}
    return {"blocks": [{"type": "section", "text": {"type": "plain_text", "text": body[:LONGEST_BLOCK]}}]}


def of_pause(before: ChannelPause | None, after: ChannelPause | None) -> list[Notice]:
    """What operations are told when a channel's pause changes from `before` to `after`: that it began, that it ended.

    AsOf twice makes the same notice, so telling it twice changes nothing.
    """
    told_before = before is not None and before.is_to_be_told
    if after is not None and after.is_to_be_told and not (told_before and before and before.cause == after.cause):
        return [
            Notice(
                f"channel_paused:{after.channel}:{after.cause}:{after.since:%Y-%m-%dT%H:%M:%S}",
                f"{after.channel}: {PAUSE_WORDS[after.cause]}",
                f"{after.channel}: {PAUSE_WORDS[after.cause]}. It says: {after.detail}\n"
                "Nothing is lost: due actions wait. One message tries again at "
                f"{after.paused_until:%Y-%m-%d %H:%M} UTC, then ever more seldom, but hourly. "
                f"Once it is mended, `cs-pipeline play resume channel {after.channel}` goes on at once.",
            )
        ]
    if after is None and before is not None and told_before:
        return [
            Notice(
                f"channel_resumed:{before.channel}:{before.since:%Y-%m-%dT%H:%M:%S}",
                f"{before.channel} takes messages again",
                f"{before.channel} takes messages again, after {before.calls} calls that did not get through since "
                f"{before.since:%Y-%m-%d %H:%M} UTC.",
            )
        ]
    return []
