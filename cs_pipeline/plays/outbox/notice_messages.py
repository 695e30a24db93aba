"""Write notices that may go out, or be looked up, as messages of their channels."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import Message, Picture
from cs_pipeline.channels.registry import KINDS
from cs_pipeline.plays.outbox.channel_pauses import PAUSED
from cs_pipeline.plays.outbox.kill_switch import STOPPED
from cs_pipeline.plays.outbox.queue import COLUMNS, MAY_LOOK_UP, PlannedAction, look_up_period
from cs_pipeline.settings import Settings

AT_A_TIME = 100


def due(
    session: Session,
    channels: Sequence[str],
    settings: Settings,
    now: datetime,
    *,
    playbook: str | None = None,
    after: PlannedAction | None = None,
) -> list[tuple[PlannedAction, Message]]:
    """Up to AT_A_TIME notices that may go out on `channels` at `now`, written, the oldest first.

    Of one `playbook` where it is given, and only those that come `after` another in this order.
    """
    where = f"""
        actions.status = 'planned'
        and actions.due_at <= %(now)s
        and actions.expires_at > %(now)s
        and (%(playbook)s::text is null or actions.playbook = %(playbook)s)
        and (%(last_due)s::timestamptz is null or (actions.due_at, actions.action_id) > (%(last_due)s, %(last)s))
        and not {STOPPED}
        and not {PAUSED}
    """
    parameters: dict[str, object] = {
        "now": now,
        "playbook": playbook,
        "last_due": None if after is None else after.due_at,
        "last": None if after is None else after.action_id,
    }
    return _written(session, where, parameters, channels, settings)


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
                {", ".join(f"actions.{column}" for column in _OF_ACTION)},
                {", ".join(f"notices.{column}" for column in _OF_NOTICE)}
            from cs.actions
            inner join cs.notices using (notice_id)
            where
                actions.notice_id is not null -- which the join says, too, but not so that an index is used
                and actions.channel = any(%(channels)s)
                and {where}
            order by actions.due_at, actions.action_id
            limit {AT_A_TIME}
            """,
            {**parameters, "channels": list(channels)},
        )
        columns = (*_OF_ACTION, *_OF_NOTICE)
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    pictures = _pictures(session, [row["notice_id"] for row in rows])
    return [_one(settings, row, tuple(pictures.get(row["notice_id"], ()))) for row in rows]


def _pictures(session: Session, notices: Sequence[int]) -> dict[int, list[Picture]]:
    """What notices show, by their ids, in its order."""
    found: dict[int, list[Picture]] = {}
    with session.cursor() as cursor:
        cursor.execute(
            """
            select notice_id, name, alt_text, png
            from cs.notice_pictures
            where notice_id = any(%s)
            order by notice_id, place
            """,
            [list(notices)],
        )
        for notice_id, name, alt_text, png in cursor.fetchall():
            found.setdefault(notice_id, []).append(Picture(name, alt_text, bytes(png)))
    return found


_OF_ACTION = tuple(column for column in COLUMNS if column not in ("enrolment_id", "playbook_version", "family"))
_OF_NOTICE = ("notice_id", "subject", "body", "html", "blocks", "answers")


def _one(settings: Settings, row: dict[str, Any], pictures: tuple[Picture, ...]) -> tuple[PlannedAction, Message]:
    action = PlannedAction(
        enrolment_id=None,
        playbook_version="",
        family=row["playbook"],
        **{column: row[column] for column in _OF_ACTION},
    )
    return action, Message(
        action_key=action.action_key,
        channel=action.channel,
        recipient=action.recipient or "",
        subject=row["subject"],
        body_text=row["body"],
        body_html=(row["html"] or _preformatted(row["body"])) if action.channel == "email" else None,
        payload=_payload(action.channel, row, settings),
        account_id=action.account_id,
        playbook=action.playbook,
        step=action.step,
        due_on=action.due_at.date(),
        category=action.playbook,
        pictures=pictures,
    )


def _preformatted(body: str) -> str:
    return f"<!doctype html><html><body><pre>{escape(body)}</pre></body></html>"


def _payload(channel: str, row: dict[str, Any], settings: Settings) -> dict[str, object]:
    layout = KINDS[channel].layout
    if layout is not None:
        shown: dict[str, object] = {layout.field: row["blocks"] or layout.plain(row["body"])}
        return shown | ({"answers": row["answers"]} if row["answers"] else {})
    if channel == "crm":
        return {"kind": "task"}
    return {"preview": "", "sender_name": settings.sender_name, "reply_to": None}
