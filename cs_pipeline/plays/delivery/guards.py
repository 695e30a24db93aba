"""Find due actions that must not be taken, with today's facts, right before they would be.

A guard is a reason and a test over a frame of due actions: the columns of `due`, all facts of the account, the
recipient, and what `contact_state` adds. The first guard that stops an action gives the reason. Guards that need no
facts work on the outbox itself: the kill switch (`outbox.kill_switch`) and staleness (`outbox.suppress`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.channels.registry import CUSTOMER_CHANNELS
from cs_pipeline.plays.delivery.customer_mail import are_customer_mail
from cs_pipeline.plays.delivery.upsell_guards import MORE, NOT_READY, asks_for_more
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks.conditions import Condition


@dataclass(frozen=True)
class Guard:
    """A reason of `reasons.GUARDED`, and which rows it stops (a bool Series on the frame's index)."""

    reason: str
    stops: Callable[[pd.DataFrame], pd.Series]


def _is_mail(due: pd.DataFrame) -> pd.Series:
    """E-mail, and text messages, which become e-mail where nothing else takes them."""
    return due["channel"].isin(CUSTOMER_CHANNELS)


def _not_ready(reason: str, condition: Condition) -> Guard:
    return Guard(reason, lambda due: asks_for_more(due) & condition.holds(due))


GUARDS = (
    Guard("unsubscribed", lambda due: are_customer_mail(due) & due["is_unsubscribed"]),
    Guard("bounced", lambda due: _is_mail(due) & due["suppressed_as"].isin(["bounced", "spam"])),
    Guard("by_hand", lambda due: _is_mail(due) & (due["suppressed_as"] == "by_hand")),
    Guard("bad_fit", lambda due: due["intent"].isin(MORE) & due["is_bad_fit"]),
    *(_not_ready(reason, condition) for reason, condition in NOT_READY.items()),
)
"""Asked in this order."""


def contact_state(session: Session, due: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """What is known of the recipients of `due`: is_unsubscribed (bool), suppressed_as (reason or None).

    The address counts, wherever it says no: `cs.refused_addresses` looks at every user row of every account, at what
    happened to mail, and at the list of suppressions.
    """
    with session.cursor() as cursor:
        cursor.execute(
            """
            with refused as materialized (
                select given, bool_or(reason = 'unsubscribed') as is_unsubscribed,
                    min(reason) filter (where reason <> 'unsubscribed') as suppressed_as
                from cs.refused_addresses(%(recipients)s::text[], %(now)s)
                group by given
            )

            select coalesce(refused.is_unsubscribed, false), refused.suppressed_as
            from unnest(%(recipients)s::text[]) with ordinality as asked (recipient, position)
            left join refused on asked.recipient = refused.given
            order by asked.position
            """,
            {"recipients": due["recipient"].tolist(), "now": as_of.now},
        )
        state = pd.DataFrame(cursor.fetchall(), columns=["is_unsubscribed", "suppressed_as"], index=due.index)
    return state.astype({"is_unsubscribed": "bool", "suppressed_as": "object"})


def reasons(due: pd.DataFrame) -> pd.Series:
    """The reason of the first guard that stops each row; missing where none does."""
    found = pd.Series(pd.NA, index=due.index, dtype="string")
    for guard in GUARDS:
        found[found.isna() & guard.stops(due).fillna(False).astype(bool)] = guard.reason
    return found
