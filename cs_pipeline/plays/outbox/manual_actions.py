"""Let people decide about single actions: let it go, hold it, drop it, send it again.

Each decision moves actions between the states of the outbox and leaves a row of `cs.action_decisions`: who, when, and
what was before. Nothing is sent here; what may go out is taken by the next delivery, whose guards are asked as ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.plays.outbox import operations
from cs_pipeline.plays.outbox.lock import change_in_order
from cs_pipeline.sql_files import read_sql

Verb = Literal["approve", "hold", "cancel", "resend"]


@dataclass(frozen=True)
class Decision:
    """From which states an action comes, and to which it goes with which reason. `done` is said to who decided."""

    of: tuple[str, ...]
    to: str
    reason: str | None
    done: str


DECISIONS: Mapping[Verb, Decision] = {
    "approve": Decision(("awaiting_approval",), "planned", None, "approved: taken when due"),
    "hold": Decision(("planned",), "awaiting_approval", "on_hold", "on hold until somebody approves"),
    "cancel": Decision(
        ("planned", "awaiting_approval", "uncertain", "failed"), "cancelled", "cancelled_by_hand", "cancelled"
    ),
    "resend": Decision(
        ("sent", "failed", "uncertain", "suppressed", "cancelled"),
        "planned",
        "resend",
        "planned again, as one more attempt",
    ),
}


def decide(session: Session, verb: Verb, action_ids: Sequence[int], by: str, now: datetime) -> int:
    """Decide on all of `action_ids`, or, where one of them cannot be decided on, on none; returns how many.

    An action that is sent again gets as many days as its playbook gives before it is stale. Raises UserError with every
    action that is not there, not in a state for this, or stale.
    """
    wanted = sorted(set(action_ids))
    change_in_order(session)
    _refuse_what_cannot_be(session, verb, wanted, now)
    decision = DECISIONS[verb]
    with session.cursor() as cursor:
        cursor.execute(
            read_sql(__file__),
            {
                "ids": wanted,
                "verb": verb,
                "by": by,
                "now": now,
                "to": decision.to,
                "reason": decision.reason,
                "again": verb == "resend",
                "days_of_a_notice": operations.TOLD_FOR.days,
            },
        )
        return cursor.rowcount


def _refuse_what_cannot_be(session: Session, verb: Verb, wanted: Sequence[int], now: datetime) -> None:
    decision = DECISIONS[verb]
    with session.cursor() as cursor:
        cursor.execute(
            """
            select action_id, status, expires_at <= %s
            from cs.actions
            where action_id = any(%s::bigint[])
            order by action_id
            for update
            """,
            [now, wanted],
        )
        found = {action_id: (status, is_stale) for action_id, status, is_stale in cursor.fetchall()}
    problems = [f"there is no action {action_id}" for action_id in wanted if action_id not in found]
    for action_id, (status, is_stale) in found.items():
        if status not in decision.of:
            problems.append(f"action {action_id} is {status}; {verb} is for {', '.join(decision.of)}")
        elif verb == "approve" and is_stale:
            problems.append(
                f"action {action_id} is stale; `cs-pipeline action resend {action_id}` sends it after it was dropped"
            )
    if problems:
        raise UserError("Nothing was changed: " + "; ".join(problems))
