"""Which thread a Slack message belongs into: one thread an account and conversation, so that its story stays together.

What a thread is for Slack is known to `channels.slack`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import Message
from cs_pipeline.plays.outbox.queue import PlannedAction

KEPT_UP = timedelta(days=90)  # an older thread is far up in the channel, where nobody looks


def in_threads(
    session: Session, written: Sequence[tuple[PlannedAction, Message]]
) -> list[tuple[PlannedAction, Message]]:
    """The messages, those to Slack with `thread` and `is_broadcast` in their payload where a thread is under way.

    The thread is the account's oldest message of the last KEPT_UP in that conversation. The first message of a play is
    shown in the conversation as well, lest a new play go unseen.
    """
    threads = _threads(session, [action for action, _ in written if action.channel == "slack"])
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
            """
            select distinct on (asked.action_id)
                asked.action_id,
                earlier.provider_id,
                not exists (
                    select 1
                    from cs.actions as same_play
                    where
                        same_play.enrolment_id = asked.enrolment_id
                        and same_play.channel = 'slack'
                        and same_play.status = 'sent'
                        and same_play.delivery = 'live'
                        and same_play.recipient = asked.recipient
                )
            from unnest(%(action_ids)s::bigint[], %(enrolment_ids)s::bigint[], %(account_ids)s::text[],
                %(recipients)s::text[]) as asked (action_id, enrolment_id, account_id, recipient)
            inner join cs.actions as earlier
                on
                    asked.account_id = earlier.account_id
                    and asked.recipient = earlier.recipient
                    and earlier.action_id <> asked.action_id
            where
                earlier.account_id = any(%(account_ids)s::text[])
                and earlier.channel = 'slack'
                and earlier.status = 'sent'
                and earlier.delivery = 'live'
                and earlier.provider_id is not null
                and earlier.sent_at >= %(since)s
            order by asked.action_id, earlier.sent_at, earlier.action_id
            """,
            {
                "action_ids": [action.action_id for action in actions],
                "enrolment_ids": [action.enrolment_id for action in actions],
                "account_ids": [action.account_id for action in actions],
                "recipients": [action.recipient for action in actions],
                "since": max(action.due_at for action in actions) - KEPT_UP,
            },
        )
        return {
            action_id: {"thread": provider_id, "is_broadcast": is_first}
            for action_id, provider_id, is_first in cursor.fetchall()
        }
