"""Triggers by hand: a person asked for a play of an account. They have no past.

Who may be asked for, and what then becomes of it, belongs to `enrolment.manual`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.plays.triggers.causes import Cause, about_accounts, open_triggers

KIND = "manual"


@dataclass(frozen=True)
class Ask:
    """Who asks for a play, why, and the key under which asking again is the same; without one, once a day."""

    by: str
    reason: str = ""
    key: str = ""


def trigger_keys(playbook: str, account_ids: Sequence[str], ask: Ask, now: datetime) -> list[str]:
    """The keys of the triggers for accounts, in their order."""
    return [f"{KIND}:{playbook}:{account_id}:{ask.key or f'{now:%Y-%m-%d}'}" for account_id in account_ids]


def open_by_hand(session: Session, playbook: str, account_ids: Sequence[str], ask: Ask, now: datetime) -> int:
    """Write a trigger for each account that has none under its key; returns how many are new."""
    facts = json.dumps({"playbook": playbook, "started_by": ask.by, "start_reason": ask.reason})
    keys = trigger_keys(playbook, account_ids, ask, now)
    found = (
        Cause(key, account_id, None, now, now.astimezone(UTC).date(), facts)
        for key, account_id in sorted(zip(keys, account_ids, strict=True))
    )
    return open_triggers(session, about_accounts(KIND, found))
