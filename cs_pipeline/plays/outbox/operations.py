"""Notify our own people: the one door for whatever operations, an owner or a team are to be told.

A notice is an action of the outbox like any other, so that none is lost or told twice. Chat is the first way, e-mail
(where an address is known) the second, for when chat has not taken it in a while; what reached nobody is shown by
`doctor`. What is told, when and to whom is decided by who calls; how a notice becomes a message is in
`notice_messages`, how it is handed over in `delivery.notices`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg2.extensions import connection as Session
from psycopg2.extras import Json, execute_values

from cs_pipeline.channels.message import Picture, clean
from cs_pipeline.channels.registry import carrier_of
from cs_pipeline.plays.outbox.channel_pauses import PAUSED
from cs_pipeline.plays.outbox.kill_switch import STOPPED
from cs_pipeline.settings import Settings

PLAYBOOK = "operations"
STEP = "notice"
SECOND_WAY_AFTER = timedelta(minutes=10)
TOLD_FOR = timedelta(days=14)
AT_A_TIME = 1_000

Way = tuple[Literal["slack", "email", "crm"], str]
"""A channel, and the address or conversation there; of the CRM, whose task it is."""


@dataclass(frozen=True)
class Reader:
    """Who is told, as which role: by the first of `ways`, and by the second when that has not taken it in a while."""

    role: str
    ways: tuple[Way, ...] = field(repr=False)


@dataclass(frozen=True)
class Notice:
    """What somebody of us is to read; `key` says what it is about, and is told once. Others' words in it are cleaned.

    `html` and `blocks` (Block Kit) are its forms for mail and Slack, where the plain `text` is not good enough; both
    may show its `pictures`. With an `account_id` it stands in the account's thread and obeys the switch that stops the
    account; `answers` are the buttons that it has in Slack; `playbook` is the name by which a person can stop all of
    its kind, `step` what it is. `to` nobody: to operations.
    """

    key: str
    subject: str
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    blocks: Sequence[dict[str, Any]] | None = field(default=None, repr=False)
    pictures: Sequence[Picture] = field(default=(), repr=False)
    answers: Sequence[str] = ()
    account_id: str = ""
    playbook: str = PLAYBOOK
    step: str = STEP
    to: Reader | None = None

    def __post_init__(self) -> None:
        for name in ("subject", "text", "html", "blocks"):
            object.__setattr__(self, name, _cleaned(getattr(self, name)))


def notify(session: Session, notice: Notice, settings: Settings, now: datetime) -> bool:
    """Plan a notice: by its reader's first way at once, by the second later. False when its key was told before."""
    return bool(notify_all(session, [notice], settings, now))


def notify_all(session: Session, notices: Sequence[Notice], settings: Settings, now: datetime) -> dict[str, int]:
    """Plan notices; returns their ids by key, those left out whose key was told before."""
    by_key: dict[str, Notice] = {}
    for notice in notices:
        by_key.setdefault(notice.key, notice)
    with session.cursor() as cursor:
        found = execute_values(
            cursor,
            """
            insert into cs.notices (notice_key, subject, body, html, blocks, answers, created_at)
            values %s
            on conflict (notice_key) do nothing
            returning notice_key, notice_id
            """,
            [
                (
                    each.key,
                    each.subject,
                    each.text,
                    each.html,
                    Json(each.blocks) if each.blocks else None,
                    list(each.answers),
                    now,
                )
                for each in by_key.values()
            ],
            template="(%s, %s, %s, %s, %s, %s::text[], %s)",
            page_size=AT_A_TIME,
            fetch=True,
        )
        ids: dict[str, int] = dict(found)
        execute_values(
            cursor,
            "insert into cs.notice_pictures (notice_id, place, name, alt_text, png) values %s",
            [
                (notice_id, place, picture.name, picture.alt_text, picture.png)
                for key, notice_id in ids.items()
                for place, picture in enumerate(by_key[key].pictures)
            ],
        )
        execute_values(
            cursor,
            """
            insert into cs.actions (
                action_key, notice_id, playbook, step, account_id, channel, role, recipient, intent, due_at,
                expires_at, status
            )
            values %s
            """,
            [row for key, notice_id in ids.items() for row in _actions(by_key[key], notice_id, settings, now)],
            template="(%s, %s, %s, %s, %s, %s, %s, %s, 'inform', %s, %s, 'planned')",
            page_size=AT_A_TIME,
        )
    return ids


def settle_second_ways(session: Session, now: datetime) -> int:
    """Cancel the e-mail of notices that Slack has taken; returns how many.

    Where nobody was there to deliver, both have become due: then Slack is asked first, and the e-mail waits once more.
    """
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            update cs.actions as second
            set due_at = %(now)s + %(after)s
            from cs.actions
            where
                second.notice_id is not null
                and second.channel = 'email'
                and second.status = 'planned'
                and second.due_at <= %(now)s
                and actions.notice_id = second.notice_id
                and actions.channel = 'slack'
                and actions.status = 'planned'
                and actions.attempts = 0
                and second.due_at <= actions.due_at + %(after)s
                and not {PAUSED}
            """,
            {"now": now, "after": SECOND_WAY_AFTER},
        )
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
    """Subjects of notices of the last TOLD_FOR that nobody was told of by now, and since when; for `doctor`.

    What a person stopped is left out: it waits because they want it to.
    """
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select notices.subject, notices.created_at
            from cs.notices
            where
                notices.created_at > %(since)s
                and notices.created_at <= %(until)s
                and not exists (
                    select 1
                    from cs.actions
                    where
                        actions.notice_id = notices.notice_id
                        and (actions.status in ('sent', 'cancelled') or (actions.status = 'planned' and {STOPPED}))
                )
            order by notices.created_at desc, notices.notice_id desc
            """,
            {"since": now - TOLD_FOR, "until": now - timedelta(minutes=5)},
        )
        return cursor.fetchall()


def has_chat(settings: Settings) -> bool:
    """Whether Slack, or Teams instead of it, can be posted to; captured it is in any case."""
    return settings.delivery == "capture" or carrier_of("slack", settings).is_connected(settings)


def _operations(settings: Settings) -> Reader:
    ways: list[Way] = [("slack", settings.ops_channel)] if has_chat(settings) else []
    if settings.ops_email:
        ways.append(("email", settings.ops_email))
    return Reader(PLAYBOOK, tuple(ways))


def _actions(notice: Notice, notice_id: int, settings: Settings, now: datetime) -> list[tuple[object, ...]]:
    """The rows of cs.actions: one a way."""
    reader = notice.to or _operations(settings)
    return [
        (
            f"{notice.playbook}/{channel}/{notice.key}",
            notice_id,
            notice.playbook,
            notice.step,
            notice.account_id,
            channel,
            reader.role,
            recipient,
            now + place * SECOND_WAY_AFTER,
            now + place * SECOND_WAY_AFTER + TOLD_FOR,
        )
        for place, (channel, recipient) in enumerate(reader.ways)
    ]


def _cleaned(node: Any) -> Any:
    """Every text in it as PostgreSQL and a log can take it."""
    if isinstance(node, str):
        return clean(node)
    if isinstance(node, dict):
        return {name: _cleaned(each) for name, each in node.items()}
    if isinstance(node, Sequence):
        return [_cleaned(each) for each in node]
    return node
