"""Start plays by hand: a trigger for each account, which then goes through enrolment with all its guards.

Asking twice starts nothing twice: a trigger's key names playbook, account and a key of the asker's, or the day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from cs_pipeline.errors import UserError
from cs_pipeline.plays.enrolment.circuit_breaker import Trip
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.reasons import meaning_of_refusal
from cs_pipeline.plays.triggers.manual import KIND, Ask, open_by_hand, trigger_keys
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

AT_MOST = 1_000  # a person who wants more means a segment


@dataclass(frozen=True)
class Started:
    """What came of it. `outcomes`: account_id, outcome (enrolled, refused, waiting), reason, words; in the order asked.

    `new` counts those that were not asked for before under the same key. `trip`: so many at once that a person decides.
    """

    outcomes: pd.DataFrame
    new: int
    trip: Trip | None


def start(
    warehouse: Warehouse, playbook: Playbook, account_ids: Sequence[str], ask: Ask, settings: Settings, now: datetime
) -> Started:
    """Start `playbook` for accounts. Raises UserError when it is not one that people start, or for no account."""
    if playbook.trigger.kind != KIND:
        raise UserError(
            f"{playbook.playbook} is started by {playbook.trigger.kind.replace('_', ' ')}, not by hand: "
            "only playbooks whose trigger.kind is manual are"
        )
    chosen = list(dict.fromkeys(account_ids))
    if not 0 < len(chosen) <= AT_MOST:
        raise UserError(f"Name 1 to {AT_MOST:,} accounts to start {playbook.playbook} for; {len(chosen):,} are named")
    keys = trigger_keys(playbook.playbook, chosen, ask, now)
    with warehouse.session() as session, session.cursor() as cursor:
        new = open_by_hand(session, playbook.playbook, chosen, ask, now)
        cursor.execute("select trigger_id from cs.triggers where trigger_key = any(%s::text[])", [keys])
        trigger_ids = [trigger_id for (trigger_id,) in cursor.fetchall()]
    summary = enrol(warehouse, playbook, trigger_ids, settings, now)
    return Started(_outcomes(warehouse, playbook, chosen, keys), new, summary.trip)


def _outcomes(
    warehouse: Warehouse, playbook: Playbook, account_ids: Sequence[str], keys: Sequence[str]
) -> pd.DataFrame:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            """
            select
                asked.account_id,
                case
                    when enrolments.status is null then 'waiting'
                    when enrolments.status = 'refused' then 'refused'
                    else 'enrolled'
                end,
                case when enrolments.status = 'refused' then enrolments.reason end
            from unnest(%(keys)s::text[], %(account_ids)s::text[])
                with ordinality as asked (trigger_key, account_id, position)
            inner join cs.triggers using (trigger_key)
            left join cs.enrolments
                on triggers.trigger_id = enrolments.trigger_id and enrolments.playbook = %(playbook)s
            order by asked.position
            """,
            {"keys": list(keys), "account_ids": list(account_ids), "playbook": playbook.playbook},
        )
        found = pd.DataFrame(cursor.fetchall(), columns=["account_id", "outcome", "reason"], dtype="object")
    reasons = found["reason"].fillna("")
    words = [meaning_of_refusal(reason, playbook.exit_conditions) if reason else "" for reason in reasons]
    return found.assign(reason=reasons, words=words)
