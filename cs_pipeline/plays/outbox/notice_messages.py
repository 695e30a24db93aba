"""Write notices to operations that may go out, or be looked up, as messages of their channels."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import Message
from cs_pipeline.channels.registry import KINDS
from cs_pipeline.plays.outbox.channel_pauses import PAUSED
from cs_pipeline.plays.outbox.kill_switch import STOPPED
from cs_pipeline.plays.outbox.operations import PLAYBOOK, STEP
from cs_pipeline.plays.outbox.queue import MAY_LOOK_UP, PlannedAction, look_up_period
from cs_pipeline.settings import Settings

AT_A_TIME = 100


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
    layout = KINDS[channel].layout
    if layout is not None:
        return {layout.field: layout.plain(body)}
    return {"preview": "", "sender_name": settings.sender_name, "reply_to": None}
