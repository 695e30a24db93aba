"""List captured messages, for a page. Reads only."""

import pandas as pd
from psycopg2.extensions import connection as Session

_SQL = """
select
    actions.action_id,
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
where
    (%(channel)s = '' or messages.channel = %(channel)s)
    and (%(before)s = 0 or actions.action_id < %(before)s)
    and (
        %(search)s = ''
        or position(
            lower(%(search)s) in lower(concat_ws(
                ' ', messages.subject, messages.recipient, actions.account_id, actions.playbook, actions.step
            ))
        ) > 0
    )
order by actions.action_id desc
limit %(limit)s
"""


def captured_messages(session: Session, search: str, channel: str, before: int = 0, limit: int = 100) -> pd.DataFrame:
    """Captured messages, those of the newest actions first; `before` is the action below which to go on.

    `search` is part of the subject, recipient, account, playbook or step. Columns: action_id, captured_at, channel,
    recipient, subject, path, playbook, step, account_id.
    """
    with session.cursor() as cursor:
        cursor.execute(_SQL, {"search": search, "channel": channel, "before": before, "limit": limit})
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])
