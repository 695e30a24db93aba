"""Decide what becomes of the actions that fall due in a simulated week: taken, put off or dropped, and why.

`delivery.eligibility` is asked once, with the facts of the Monday; then day by day whether a step has to wait for the
one before it, whether there is room below the frequency caps, and whether another contract's mail says the same. Hours
of the day do not count.
"""

from collections.abc import Mapping
from datetime import timedelta

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.history.weeks import WEEK
from cs_pipeline.plays.delivery import joining, step_order
from cs_pipeline.plays.delivery.customer_mail import are_customer_mail
from cs_pipeline.plays.delivery.eligibility import reasons_with
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.outbox.suppress import Postponed
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.reasons import FREQUENCY_CAP, JOINED, NO_RECIPIENT
from cs_pipeline.plays.simulation.memory_store import TAKEN, MemoryStore
from cs_pipeline.settings import Settings

DAY = timedelta(days=1)


def take_due(
    session: Session, store: MemoryStore, playbooks: Mapping[str, Playbook], known: pd.DataFrame, as_of: AsOf
) -> None:
    """Judge what falls due within a week of `as_of.now`. `known` has the facts of active enrolments, by enrolment."""
    due = store.due(as_of.now + WEEK)
    if due.empty:
        return
    today = known.loc[due["enrolment_id"]].set_axis(due.index)
    current, reasons = reasons_with(session, due, due["definition"], today, as_of)
    reasons = reasons.mask(reasons.isna() & current["recipient"].isna(), NO_RECIPIENT)
    store.drop(reasons.dropna())
    subjects = store.enrolments.loc[due["enrolment_id"], "subject_id"].set_axis(due.index)
    going = current.assign(action_id=current.index, subject_id=subjects).join(today[["country", "timezone"]])
    going = going[reasons.isna()]
    for day in range(1, WEEK // DAY + 1):
        _take_day(store, playbooks, going, as_of, day)


def _take_day(
    store: MemoryStore, playbooks: Mapping[str, Playbook], going: pd.DataFrame, as_of: AsOf, day: int
) -> None:
    """Take what of `going` is due by the end of a day of the week, in the order in which it goes out."""
    until = as_of.now + day * DAY
    planned = store.due(until)
    planned = planned[planned.index.isin(going.index)]
    if planned.empty:
        return
    asked = going.loc[planned.index].assign(due_at=planned["due_at"], expires_at=planned["expires_at"])
    by_action = {action: playbooks[name] for action, name in asked["playbook"].items()}
    after_others = step_order.waits(store, asked, by_action, until, as_of.settings.timezone)  # pyright: ignore[reportArgumentType]
    store.postpone(after_others)
    in_order = asked[~asked.index.isin(after_others)]
    capped = in_order.loc[_beyond_caps(_mail_of_the_week(store), in_order, as_of.settings)]
    next_week = as_of.now + WEEK
    is_stale = capped["expires_at"] <= next_week
    store.drop(pd.Series(FREQUENCY_CAP, index=capped.index[is_stale], dtype="object"))
    store.postpone(dict.fromkeys(capped.index[~is_stale], Postponed(next_week, FREQUENCY_CAP)))
    with_room = in_order[~in_order.index.isin(capped.index)]
    said_already = joining.joined(store, with_room)
    store.drop(pd.Series(JOINED, index=said_already, dtype="object"))
    store.take(with_room.loc[~with_room.index.isin(said_already), "recipient"])


def _mail_of_the_week(store: MemoryStore) -> pd.DataFrame:
    return store.actions[(store.actions["week"] == store.week) & store.actions["status"].isin(TAKEN)]


def _beyond_caps(taken: pd.DataFrame, going: pd.DataFrame, settings: Settings) -> pd.Index:
    """Rows of `going` (in the order in which they go out) for which what was taken in the week leaves no room.

    The real thing (`delivery.throttling`) counts any seven days; whole weeks, from Monday to Sunday, are as near as a
    simulation by weeks comes.
    """
    columns = ["account_id", "channel", "role", "recipient"]
    rows = pd.concat([taken[columns], going[columns]])
    mails = rows[are_customer_mail(rows)]
    place_for_person = mails.groupby(mails["recipient"].str.lower()).cumcount()
    has_room = mails[place_for_person < settings.mails_per_person]
    place_for_account = has_room.groupby("account_id").cumcount()
    without = mails.index.difference(has_room.index[place_for_account < settings.mails_per_account], sort=False)
    return without[without.isin(going.index)]
