"""Put Slack messages in threads: one thread an account and conversation, so that its story stays together.

What a thread is for Slack is known to `channels.slack`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import Message
from cs_pipeline.plays.outbox.queue import PlannedAction
from cs_pipeline.sql_files import read_sql

KEPT_UP = timedelta(days=90)  # an older thread is far up in the channel, where nobody looks
QUIET_STEP = "resolved"  # of notices


def in_threads(
    session: Session, written: Sequence[tuple[PlannedAction, Message]]
) -> list[tuple[PlannedAction, Message]]:
    """The messages, those to Slack with `thread` and `is_broadcast` in their payload where a thread is under way.

    The thread is the account's oldest message of the last KEPT_UP in that conversation; what is of no account has none.
    The first message of a play is shown in the conversation as well, lest a new play go unseen, and so is a notice
    about an account, unless it says that something is over.
    """
    threads = _threads(session, [action for action, _ in written if action.channel == "slack" and action.account_id])
    return [
        (action, replace(message, payload={**message.payload, **threads[action.action_id]}))
        if action.action_id in threads
        else (action, message)
        for action, message in written
    ]


def _threads(session: Session, actions: Sequence[PlannedAction]) -> dict[int, Mapping[str, object]]:
    if not actions:
        return {}
    with session.cursor() as cursor:
        cursor.execute(
            read_sql(__file__),
            {
                "action_ids": [action.action_id for action in actions],
                "enrolment_ids": [action.enrolment_id for action in actions],
                "account_ids": [action.account_id for action in actions],
                "recipients": [action.recipient for action in actions],
                "are_quiet": [action.step == QUIET_STEP for action in actions],
                "since": max(action.due_at for action in actions) - KEPT_UP,
            },
        )
        return {
            action_id: {"thread": provider_id, "is_broadcast": is_first}
            for action_id, provider_id, is_first in cursor.fetchall()
        }
