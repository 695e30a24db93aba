"""Record what came of attempts to deliver: sent, failed, uncertain, or planned again for later.

Set-based, in the caller's transaction. How an action is claimed before is in `claim`; how what is uncertain is settled
later, in `uncertain`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import Outcome
from cs_pipeline.plays.outbox.lock import change_in_order
from cs_pipeline.sql_files import read_sql

MOST_RETRIES = 8
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)


def record(session: Session, outcomes: Mapping[tuple[int, int], Outcome], now: datetime) -> None:
    """Write down what came of attempts; keys are (action id, attempt).

    Also after a lease has expired: a late answer still beats `uncertain`, and a plan to try again. Once the action
    was claimed again or is settled only the attempt keeps the outcome. A retry waits twice as long as the one before,
    and never shorter than the provider asked for. It is given up after MOST_RETRIES, but only when the channel has
    taken another message meanwhile: while it takes none, that says nothing about this one.
    """
    change_in_order(session)
    recorded = {
        "action_ids": [action_id for action_id, _ in outcomes],
        "attempts": [attempt for _, attempt in outcomes],
        "outcomes": [outcome.status for outcome in outcomes.values()],
        "details": [outcome.detail for outcome in outcomes.values()],
        "provider_ids": [outcome.provider_id for outcome in outcomes.values()],
        "deliveries": [outcome.delivery for outcome in outcomes.values()],
        "asked": [outcome.retry_after for outcome in outcomes.values()],
        "causes": [outcome.cause for outcome in outcomes.values()],
        "now": now,
    }
    limits = {"most_retries": MOST_RETRIES, "first_wait": FIRST_WAIT, "longest_wait": LONGEST_WAIT}
    with session.cursor() as cursor:
        cursor.execute(_ATTEMPTS, recorded)
        cursor.execute(read_sql(__file__), recorded | limits)


_ATTEMPTS = """
update cs.action_attempts as attempts
set outcome = recorded.outcome, detail = recorded.detail, cause = recorded.cause, recorded_at = %(now)s
from unnest(
    %(action_ids)s::bigint[], %(attempts)s::integer[], %(outcomes)s::text[], %(details)s::text[],
    %(causes)s::text[]
) as recorded (action_id, attempt, outcome, detail, cause)
where attempts.action_id = recorded.action_id and attempts.attempt = recorded.attempt
"""
