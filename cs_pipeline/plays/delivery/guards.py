"""Why an action that is due is not taken, asked right before it would be, with today's facts.

A guard is a reason and a test over a frame of due actions: the columns of `due`, all facts of the account, the
recipient, and what `contact_state` adds. The first guard that stops an action gives the reason. Guards that need no
facts work on the outbox itself: the kill switch (`kill_switch`) and staleness (`dropping.drop_stale`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.delivery.upsell_guards import MORE, NOT_READY, NotReady, asks_for_more
from cs_pipeline.plays.facts.query import Asking
from cs_pipeline.plays.playbooks.schema import CUSTOMER_CHANNELS, CUSTOMER_ROLES


@dataclass(frozen=True)
class Guard:
    """A reason, its meaning for a reader, and which rows it stops (a bool Series on the frame's index)."""

    reason: str
    meaning: str
    stops: Callable[[pd.DataFrame], pd.Series]


def _to_customers(due: pd.DataFrame) -> pd.Series:
    return due["role"].isin(CUSTOMER_ROLES)


def _is_mail(due: pd.DataFrame) -> pd.Series:
    """E-mail, and text messages, which become e-mail where nothing else takes them."""
    return due["channel"].isin(CUSTOMER_CHANNELS)


def _readiness(reason: str, not_ready: NotReady) -> Guard:
    return Guard(reason, not_ready.meaning, lambda due: asks_for_more(due) & not_ready.condition.holds(due))


GUARDS = (
    Guard(
        "unsubscribed",
        "the person asked for no more e-mail",
        lambda due: _is_mail(due) & _to_customers(due) & due["is_unsubscribed"],
    ),
    Guard(
        "bounced",
        "mail to the address came back, or was reported as spam",
        lambda due: _is_mail(due) & due["suppressed_as"].isin(["bounced", "spam"]),
    ),
    Guard(
        "by_hand",
        "somebody of ours put the address on the list of suppressions",
        lambda due: _is_mail(due) & (due["suppressed_as"] == "by_hand"),
    ),
    Guard(
        "bad_fit",
        "asks or offers; the product does not fit this customer",
        lambda due: due["intent"].isin(MORE) & due["is_bad_fit"],
    ),
    *(_readiness(reason, not_ready) for reason, not_ready in NOT_READY.items()),
)
"""Asked in this order."""

OUTBOX_REASONS: Mapping[str, str] = {
    "condition": "the step's `when` does not hold today",
    "stale": "it was not taken within stale_after_days of being due",
    "not_approved": "it waited for approval until it was stale",
    "kill_switch": "a person has stopped it; it is held, and suppressed once it is stale",
}
"""Reasons for a suppressed or held action that no guard here gives."""


def contact_state(session: Session, due: pd.DataFrame, asking: Asking) -> pd.DataFrame:
    """What is known of the recipients of `due`: is_unsubscribed (bool), suppressed_as (reason or None).

    Asked is the address, wherever it says no: `cs.refused_addresses` looks at every user row of every account, at what
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
            {"recipients": due["recipient"].tolist(), "now": asking.now},
        )
        state = pd.DataFrame(cursor.fetchall(), columns=["is_unsubscribed", "suppressed_as"], index=due.index)
    return state.astype({"is_unsubscribed": "bool", "suppressed_as": "object"})


def reasons(due: pd.DataFrame) -> pd.Series:
    """The reason of the first guard that stops each row; missing where none does."""
    found = pd.Series(pd.NA, index=due.index, dtype="string")
    for guard in GUARDS:
        found[found.isna() & guard.stops(due).fillna(False).astype(bool)] = guard.reason
    return found
